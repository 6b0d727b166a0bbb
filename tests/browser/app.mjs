// SPDX-License-Identifier: Apache-2.0
// The application: one page with auth-js, whose modules come as they are.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";

const page = (authUrl) => `<!doctype html>
<title>app</title>
<script type="importmap">
{ "imports": { "tslib": "/node_modules/tslib/tslib.es6.mjs", "@supabase/node-fetch": "/node_modules/@supabase/node-fetch/browser.js" } }
</script>
<button id="sign-in">Sign in</button>
<pre id="session"></pre>
<pre id="error"></pre>
<script type="module">
import { AuthClient } from "/node_modules/@supabase/auth-js/dist/module/index.js";
const flowType = localStorage.getItem("flow") ?? "implicit";
const auth = (globalThis.auth = new AuthClient({ url: ${JSON.stringify(authUrl)}, flowType, storage: localStorage }));
const show = (id, value) => (document.getElementById(id).textContent = value ? JSON.stringify(value) : "");
document.getElementById("sign-in").onclick = () =>
	auth.signInWithOAuth({ provider: "custom:op", options: { redirectTo: location.origin + "/", scopes: "openid email profile" } });
const { error } = await auth.initialize();
show("error", error && { code: error.code ?? error.details?.code, message: error.message });
show("session", (await auth.getSession()).data.session);
document.title = "ready";
</script>
`;

const file = (path) => readFile(new URL("." + path, import.meta.url)).catch(() => readFile(new URL("." + path + ".js", import.meta.url)));

export function startApp(port, authUrl) {
	const server = createServer(async (request, response) => {
		const { pathname } = new URL(request.url, "http://app");
		if (pathname === "/")
			return response.setHeader("Content-Type", "text/html").end(page(authUrl));
		if (!/^\/node_modules\/[\w@./-]+$/.test(pathname) || pathname.includes(".."))
			return response.writeHead(404).end();
		response.setHeader("Content-Type", "text/javascript").end(await file(pathname));
	});
	return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}
