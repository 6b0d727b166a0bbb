/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTERNAL_PROVIDER_ROW_H
#define EXTERNAL_PROVIDER_ROW_H

#include "external/provider.h"

/* The rows of provider.def, and what is done with them while somebody signs in.  For external/provider*.c and id_token*.c. */

/* Where it stands who has signed in. */
enum provider_who {
	WHO_USERINFO,
	WHO_ID_TOKEN, /* and nowhere else */
	WHO_ID_TOKEN_OR_USERINFO,
	WHO_ID_TOKEN_OR_NOBODY, /* without one there is an account without claims */
	WHO_TOKEN_ANSWER,       /* beside the access token */
};

/* What the provider's token endpoint gave. */
struct provider_token {
	const char *access, *refresh; /* "" without */
	const char *id_token;         /* NULL without */
	json *answer;                 /* the whole of it; NULL when it was a form */
};

/* One sign-in, from the callback's parameters to the profile.  What does not hold of it is fail_outside(). */
struct exchange {
	struct request *r;
	const struct provider *p;
	struct query *params;         /* at_authorize: of the authorize URL; at_token: of the token call */
	const struct query *client;   /* at_authorize: what the client sent along */
	const struct query *callback; /* what came back */
	const char *issuer;           /* whose identity token is wanted; at_id_token: may be set from the token */
	struct provider_token token;
	struct http_call call;  /* at_userinfo: may be changed */
	const char *headers[9]; /* its headers: name, value, ..., NULL */
	json *userinfo;         /* the user data as they came */
	struct profile profile;
};

/* A peculiarity of a provider: external/provider_quirk.c. */
typedef err provider_quirk(struct exchange *);

/* A protocol of its own. */
struct provider_protocol {
	/* The URL to send people to; state: the callback's. */
	checked err (*begin)(struct exchange *, const char *state, const char **url);
	/* Fills token and profile from the callback. */
	checked err (*end)(struct exchange *);
};

struct provider_row {
	const char *name;
	const char *authorize, *token, *userinfo, *request_token; /* URLs as provider.def writes them */
	const char *iss;                                          /* the claim iss of the profile */
	const char *issuer;                                       /* of its identity tokens */
	bool discovered;                                          /* the issuer's document is needed to begin */
	enum provider_who who;
	const char *scopes;                 /* its own, joined by blanks */
	bool scopes_fixed;                  /* those of the client are ignored */
	bool pkce, secret_in_body, lenient; /* lenient: claims of a wrong type count as absent */
	const char *url_missing;            /* what is said when the URL setting is needed and empty */
	const char *claims, *custom, *email, *verified;
	provider_quirk *at_authorize, *at_token, *at_id_token, *at_userinfo, *more, *at_end;
	const struct provider_protocol *protocol;
};

extern const struct provider_row provider_rows[];

provider_quirk quirk_form_post, quirk_apple_secret, quirk_apple_name, quirk_azure_issuer, quirk_bitbucket_emails, quirk_discord_name,
    quirk_appsecret_proof, quirk_github_emails, quirk_gitlab_emails, quirk_keycloak_claims, quirk_linkedin_name, quirk_notion_version,
    quirk_spotify_picture, quirk_client_id_header, quirk_x_profile, quirk_zoom_email;
extern const struct provider_protocol protocol_oauth1;

/* A row's URL with the setting in its place. */
char *provider_url(struct arena *, const struct provider_row *, const char *pattern);

/* The row's claims, custom claims and address out of x->userinfo. */
checked err provider_map(struct exchange *);

/* Says in the log why the exchange ended; the client hears the words: 500. */
err exchange_failed(struct exchange *, const char *words);

/* GET with the access token; the answer's JSON. */
checked err exchange_get(struct exchange *, const char *url, json **answer);

#endif
