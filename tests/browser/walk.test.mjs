// SPDX-License-Identifier: Apache-2.0
// run.py has started the server and says where everything is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { startApp } from "./app.mjs";
import { client, startProvider } from "./provider.mjs";

const { AUTH_URL, APP_PORT, OP_PORT, OP_PEM, PROFILE, ADMIN, CHROMIUM = "/usr/bin/chromium" } = process.env;
const app = `http://127.0.0.1:${APP_PORT}/`;
const servers = [];
let profiles = 0;

async function admin(method, path, body) {
	const answer = await fetch(AUTH_URL + "/admin/custom-providers" + path, {
		method,
		headers: { Authorization: `Bearer ${ADMIN}` },
		body: body && JSON.stringify(body),
	});
	assert.ok(answer.ok, await answer.clone().text());
	return answer.json();
}

before(async () => {
	servers.push(await startApp(APP_PORT, AUTH_URL), await startProvider(OP_PORT, OP_PEM, AUTH_URL + "/callback"));
	await admin("POST", "", {
		provider_type: "oidc",
		identifier: "custom:op",
		name: "OP",
		issuer: "https://op.test",
		...client,
		custom_claims_allowlist: ["groups"],
		attribute_mapping: { nickname: "name" },
	});
});

after(() => {
	for (const server of servers) {
		server.close();
		server.closeAllConnections();
	}
});

/* Opens the app in a browser that was never used before. */
async function visit(flow, walk) {
	const browser = await puppeteer.launch({
		executablePath: CHROMIUM,
		userDataDir: `${PROFILE}${++profiles}`,
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-quic",
			"--no-first-run",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			`--host-resolver-rules=MAP op.test:443 127.0.0.1:${OP_PORT}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
		],
	});
	try {
		const [page] = await browser.pages();
		await page.goto(app);
		await page.evaluate((type) => localStorage.setItem("flow", type), flow);
		await page.goto(app);
		await settled(page);
		await page.click("#sign-in");
		await page.waitForSelector("input[name=login]");
		assert.equal(new URL(page.url()).origin, "https://op.test");
		return await walk(page);
	} finally {
		await browser.close();
	}
}

const settled = (page) => page.waitForFunction(() => document.title === "ready");
const shown = (page, id) => page.$eval(id, (e) => e.textContent && JSON.parse(e.textContent));

async function press(page, selector) {
	await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function signIn(page, name) {
	await page.type("input[name=login]", name);
	await page.type("input[name=password]", "whatever");
	await press(page, "button[type=submit]");
	await page.waitForSelector("input[value=consent]");
	await press(page, "button[type=submit]");
	await settled(page);
	assert.equal(page.url().replace(/#$/, ""), app, "the page has taken the answer out of its address");
	assert.equal(await shown(page, "#error"), "");
	return shown(page, "#session");
}

async function checkSession(session, name) {
	const answer = await fetch(AUTH_URL + "/user", { headers: { Authorization: `Bearer ${session.access_token}` } });
	const user = await answer.json();

	assert.equal(user.email, `${name}@op.test`);
	assert.deepEqual(user.app_metadata, { provider: "custom:op", providers: ["custom:op"] });
	assert.equal(user.identities.length, 1);
	const { identity_data } = user.identities[0];
	assert.equal(identity_data.nickname, `The ${name}`);
	assert.deepEqual(identity_data.custom_claims, { groups: ["staff", name] });
	assert.equal(session.user.id, user.id);
	assert.ok(session.provider_token);
	return user;
}

for (const flow of ["implicit", "pkce"])
	test(`signing in, ${flow} flow`, async () => {
		const name = `ada-${flow}`;
		const first = await checkSession(await visit(flow, (page) => signIn(page, name)), name);
		const again = await checkSession(await visit(flow, (page) => signIn(page, name)), name);
		assert.equal(again.id, first.id);
	});

for (const flow of ["implicit", "pkce"])
	test(`turning back at the provider, ${flow} flow`, async () => {
		await visit(flow, async (page) => {
			await press(page, "a[href$=abort]");
			await settled(page);
			assert.equal(await shown(page, "#session"), "");
			assert.match((await shown(page, "#error")).message, /End-User aborted interaction/);
		});
	});
