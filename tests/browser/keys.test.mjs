// SPDX-License-Identifier: Apache-2.0
// Passkeys and security keys, by Chromium's virtual authenticators.  run.py has started the server and says where everything is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { startApp } from "./app.mjs";

const { AUTH_URL, KEYS_PORT, PROFILE, CHROMIUM = "/usr/bin/chromium" } = process.env;
let app, browser;

before(async () => {
	app = await startApp(KEYS_PORT, AUTH_URL);
	browser = await puppeteer.launch({
		executablePath: CHROMIUM,
		userDataDir: `${PROFILE}-keys`,
		args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
	});
});

after(async () => {
	await browser?.close();
	app.close();
	app.closeAllConnections();
});

/* The app, in a page with an authenticator. */
async function visit(transport, walk) {
	const context = await browser.createBrowserContext();
	const page = await context.newPage();
	const cdp = await page.createCDPSession();
	await cdp.send("WebAuthn.enable");
	const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
		options: {
			protocol: "ctap2",
			transport,
			hasResidentKey: true,
			hasUserVerification: true,
			isUserVerified: true,
			automaticPresenceSimulation: true,
		},
	});
	const credentials = async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
	await page.goto(`http://localhost:${KEYS_PORT}/`);
	await page.waitForFunction(() => document.title === "ready");
	try {
		await walk(page, credentials);
	} finally {
		await context.close();
	}
}

async function api(path, body, token) {
	const answer = await fetch(AUTH_URL + path, {
		method: body ? "POST" : "GET",
		headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
		body: body && JSON.stringify(body),
	});
	assert.ok(answer.ok, await answer.clone().text());
	return answer.json();
}

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const methods = (token) => claims(token).amr.map((m) => m.method);

/* What a page does with the options: the browser reads them, and writes its answer, as they are on the wire. */
const create = (page, options) =>
	page.evaluate(async (o) => {
		const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(o);
		return (await navigator.credentials.create({ publicKey })).toJSON();
	}, options);
const get = (page, options) =>
	page.evaluate(async (o) => {
		const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(o);
		return (await navigator.credentials.get({ publicKey })).toJSON();
	}, options);

for (const transport of ["internal", "usb"])
	test(`a passkey, ${transport}`, () =>
		visit(transport, async (page, credentials) => {
			const email = `passkey-${transport}@example.com`;
			const { access_token, user } = await api("/signup", { email, password: "correct horse 7" });
			const asked = await api("/passkeys/registration/options", {}, access_token);
			const credential = await create(page, asked.options);
			const made = await api("/passkeys/registration/verify", { challenge_id: asked.challenge_id, credential }, access_token);
			const [kept] = await credentials();
			assert.ok(kept.isResidentCredential);
			assert.equal(Buffer.from(kept.userHandle, "base64").toString(), user.id);

			const again = await api("/passkeys/authentication/options", {});
			const shown = await get(page, again.options);
			const session = await api("/passkeys/authentication/verify", { challenge_id: again.challenge_id, credential: shown });
			assert.equal(session.user.id, user.id);
			assert.deepEqual([claims(session.access_token).aal, methods(session.access_token)], ["aal1", ["passkey"]]);
			const [listed] = await api("/passkeys", undefined, session.access_token);
			assert.equal(listed.id, made.id);
			assert.ok(listed.last_used_at);

			/* The browser knows the credential by the list of those that are not to be made again. */
			const more = await api("/passkeys/registration/options", {}, session.access_token);
			await assert.rejects(create(page, more.options), /InvalidStateError/);
		}));

test("a security key as a second factor, by auth-js", () =>
	visit("usb", async (page) => {
		const signUp = { email: "key@example.com", password: "correct horse 7" };
		const added = await page.evaluate(async (credentials) => {
			await auth.signUp(credentials);
			return auth.mfa.webauthn.register({ friendlyName: "my key" });
		}, signUp);
		assert.equal(added.error, null);
		assert.equal(claims(added.data.access_token).aal, "aal2");
		assert.deepEqual(methods(added.data.access_token), ["mfa/webauthn", "password"]);

		const used = await page.evaluate(async (credentials) => {
			await auth.signOut();
			const { data } = await auth.signInWithPassword(credentials);
			const [factor] = data.user.factors;
			const before = (await auth.mfa.getAuthenticatorAssuranceLevel()).data;
			const shown = await auth.mfa.webauthn.authenticate({ factorId: factor.id, webauthn: {} });
			return { before, shown, after: (await auth.mfa.getAuthenticatorAssuranceLevel()).data };
		}, signUp);
		assert.equal(used.shown.error, null);
		assert.deepEqual([used.before.currentLevel, used.before.nextLevel, used.after.currentLevel], ["aal1", "aal2", "aal2"]);
		assert.deepEqual(methods(used.shown.data.access_token), ["mfa/webauthn", "password"]);
	}));
