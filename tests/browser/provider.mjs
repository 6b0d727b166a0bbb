// SPDX-License-Identifier: Apache-2.0
// A real OpenID provider, https://op.test, which asks for PKCE and knows everybody: whoever signs in as NAME is NAME@op.test.

import { createServer } from "node:https";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

export const client = { client_id: "postern", client_secret: "a secret: with ~ characters & more" };

export function startProvider(port, pem, redirectUri) {
	const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
	const provider = new Provider("https://op.test", {
		clients: [{ ...client, redirect_uris: [redirectUri] }],
		jwks: { keys: [{ ...key, use: "sig", alg: "RS256", kid: "tests" }] },
		cookies: { keys: ["only for tests"] },
		pkce: { required: () => true },
		claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
		conformIdTokenClaims: false,
		findAccount: (ctx, id) => ({
			accountId: id,
			claims: () => ({ sub: id, email: `${id}@op.test`, email_verified: true, name: `The ${id}`, groups: ["staff", id] }),
		}),
	});
	const tls = readFileSync(pem);
	const server = createServer({ cert: tls, key: tls }, provider.callback());
	return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}
