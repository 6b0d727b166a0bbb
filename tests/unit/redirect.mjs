// SPDX-License-Identifier: Apache-2.0
// Makes redirect.jsonl: URLs, whether test_redirect.c's list allows them, and what a browser (WHATWG) reads in them when auth.test sends it
// there.  node tests/unit/redirect.mjs >tests/unit/redirect.jsonl

const good = `
https://site.test:8443  https://site.test:8443/  https://site.test:8443/a/../b?where=1  HTTPS://site.test:8443/x  https://site.test:8443?x=1
https://site.test:8443/@evil.test  https://site.test:8443/x#//evil.test  https://site.test:8443/https://evil.test/
https://a.ok.test/  https://a.ok.test/x/y?z=1&u=http://b/  https://A.ok.test/x  https://a-b.ok.test/  https://a.ok.test/?@evil.test
https://xn--bcher-kva.ok.test/x  https://xn--.ok.test/  https://xn--a.ok.test/
https://a.ok.test/%2e  https://a.ok.test/ä?ö=ü  https://a.ok.test//evil.test/  https://0x7f.ok.test/  https://1.ok.test/  https://a.ok.test/x%2fy
https://a.ok.test/a@b  https://a.ok.test/a:b  https://a.ok.test/a?b?c#d?e  https://a.ok.test/...  https://a.ok.test/..a
https://x-team.vercel.app/
http://localhost:3000/  http://localhost:1/x/y?z  myapp://callback  myapp://callback#x  my_app://auth  my_app://auth#access=1  query://back?state=a-b
exp://192.168.1.5:8081  exp://192.168.1.5:8081/--/auth?x=1  exp://a  exp://0x7f000001/  exp+x:/cb/one  exp+x:/cb/one?y  any://app.test/x  https://app.test/x
https://team.test/ours/x/y  com.app.x:oauth
http://127.0.0.1/  http://127.0.0.1:3000/x?y  https://127.9.9.9/  http://[::1]:3000/  https://[0:0:0:0:0:0:0:1]/  http://[::ffff:127.0.0.1]/
http://192.168.1.20:3000/cb  http://192.168.1.20:3000/cb#x  http://[fd00::1]/cb
`.split(/\s+/).filter(Boolean);

const odd = `
//evil.test/  ///evil.test/  /\\evil.test  /path  path  ?x  #x  evil.test  .  a:  :  ://evil.test/  https  https:  https:/  https://  https:///  http://:80/
https:evil.test  https:/evil.test/  https:///evil.test/  https:////evil.test/  https:\\\\evil.test  https:/\\evil.test  https:a.ok.test  https:/a.ok.test/
https:///a.ok.test/  https:////a.ok.test/x  https:?.ok.test/  https:#.ok.test/  https:.ok.test/  https://?.ok.test/  https://#.ok.test/  https://@.ok.test/
https://evil.test/.ok.test/  https://evil.test?.ok.test/  https://evil.test#.ok.test/  https://evil.test\\.ok.test/  https://evil.test:443.ok.test/
https://evil.test/a.ok.test/  https://evil?.ok.test/  https://evil#.ok.test/  https://evil\\.ok.test/  https://evil:.ok.test/  https://evil/.ok.test/
https://evil@.ok.test/  https://evil.test%2f.ok.test/  https://evil.test%3f.ok.test/  https://evil.test%23.ok.test/  https://evil.test%5c.ok.test/
https://evil%2etest%2f.ok.test/  https://evil%00.ok.test/  https://evil;.ok.test/  https://evil,x.ok.test/  https://evil!x.ok.test/  https://evil$x.ok.test/
https://evil'x.ok.test/  https://evil"x.ok.test/  https://evil(x).ok.test/  https://evil*x.ok.test/  https://evil+x.ok.test/  https://evil=x.ok.test/
https://evil&x.ok.test/  https://evil<x.ok.test/  https://evil>x.ok.test/  https://evil|x.ok.test/  https://evil^x.ok.test/  https://evil\`x.ok.test/
https://{evil}.ok.test/  https://[evil].ok.test/  https://evil_x.ok.test/  https://evil~x.ok.test/  https://-evil.ok.test/  https://.ok.test/
https://..ok.test/
https://a.ok.test./  https://a.ok.test../  https://a.b.ok.test/  https://ok.test/  https://a.ok.test.evil.test/  https://a.ok.testevil.test/  https://a.ok.tes/
https://a.ok.test  https://a.ok.test?x=1  https://a.ok.test#x  http://a.ok.test/  ftp://a.ok.test/  ws://a.ok.test/  wss://a.ok.test/  file://a.ok.test/
https://a.OK.test/  https://a.ok.TEST/  https://a%2Eok.test/  https://a。ok。test/  https://a．ok．test/  https://ａ.ok.test/  https://ä.ok.test/
https://a\u00ad.ok.test/
https://\u212a.ok.test/  https://a%C3%A4.ok.test/  https://evil。test/  https://evil%E3%80%82test/  https://evil.test／.ok.test/
https://evil.test？.ok.test/
https://evil.test＃.ok.test/  https://evil.test＠a.ok.test/  https://evil.test：80.ok.test/  https://evil.test＼.ok.test/  https://evil.test⁄.ok.test/
https://℀.ok.test/  https://evil.c℅m/.ok.test/  https://⒈⒉⒊⒋.ok.test/
https://a.ok.test:443@evil.test/  https://a.ok.test@evil.test/  https://a.ok.test:@evil.test/  https://a.ok.test%40evil.test/  https://u@a.ok.test/
https://u:p@a.ok.test/  https://:@a.ok.test/  https://@a.ok.test/  https://@@a.ok.test/  https://a@b@a.ok.test/  https://evil.test:80@a.ok.test/
https://a.ok.test\\@evil.test/  https://evil.test\\@a.ok.test/  https://evil.test/@a.ok.test/  https://evil.test?@a.ok.test/  https://evil.test#@a.ok.test/
https://site.test:8443@evil.test/  https://site.test:8443.evil.test/  https://site.test:8443\\@evil.test/  https://site.test:8443\\evil.test/
https://u@site.test:8443/
https://site.test/  https://site.test:443/  https://site.test:08443/  https://site.test:8443:8443/  http://site.test:8443/  //site.test:8443/
https:site.test:8443/
https://site.test:84430/  https://site.test:99999999/  https://site.test:-8443/  https://site.test:+8443/  https://site.test:0x20fb/
https://site.test:８４４３/
https://SITE.test:8443/  https://site.test.:8443/  https://site%2etest:8443/
https://a.ok.test:443/  https://a.ok.test:/  https://a.ok.test:444/  https://a.ok.test:port/  https://a.ok.test:80:80/  https://a.ok.test:%38/
https://0x01020304?-team.vercel.app/  https://16909060?-team.vercel.app/  https://1.2.3.4?-team.vercel.app/  https://1.2.3.4#-team.vercel.app/
https://1.2.3.4\\-team.vercel.app/  https://1.2.3.4/-team.vercel.app/  https://1.2.3.4:80-team.vercel.app/  https://0x1?-team.vercel.app/
https://01.2?-team.vercel.app/
https://evil?-team.vercel.app/  https://evil#-team.vercel.app/  https://evil\\-team.vercel.app/  https://evil@-team.vercel.app/  https://evil:1-team.vercel.app/
https://[::2]?-team.vercel.app/  https://[fd00::1]-team.vercel.app/  https://[?]-team.vercel.app/  https://a.x-team.vercel.app/  https://-team.vercel.app/
http://10.0.0.1/  http://192.168.0.1/  http://192.168.0.1/x  http://192.168.0.1/**  http://192.168.1.20:3000/  http://192.168.1.20:3000/cb?x
http://192.168.1.20:3000/cb/
http://192.168.1.20/cb  http://192.168.1.20.:3000/cb  http://0300.0250.1.20:3000/cb  http://2130706433/  http://0x7f000001/  http://0x7F.1/
http://017700000001/
http://127.1/  http://127.0.1/  http://0177.0.0.1/  http://127.0.0.01/  http://127.0.0.1./  http://127.0.0.0x1/  http://127.0.0.1.2/  http://127.0.0.256/
http://4294967296/  http://1.2.3.4.5/  http://1.2.3/  http://1/  http://0/  http://0x/  http://0x.0x/  http://a.0x/  http://a.1/  http://a.0xf/  http://a.08/
http://a.0b1/
http://00000000000000000000177.1/  http://127.0.0.1%2f/  http://127.0.0.1%00/  http://%31%32%37.0.0.1/  http://１２７.0.0.1/  http://127。0。0。1/
http://①②⑦.0.0.1/
http://[::ffff:1.2.3.4]/  http://[::ffff:102:304]/  http://[::]/  http://[fe80::1%25lo]/  http://[fe80::1%lo]/  http://[::1/  http://::1]/  http://[1.2.3.4]/
http://[::1].ok.test/
http://[::127.0.0.1]/  http://[64:ff9b::1.2.3.4]/  http://[fd00::1]/  http://[fd00:0::1]/cb  http://[FD00::1]/cb  http://[v1.x]/
http://localhost/  http://localhost:/x  http://localhost:3000  http://localhost:3000?x  http://localhost:x/  http://localhost.:3000/  http://LOCALHOST:3000/
http://localhost:3000@evil.test/
http://localhost:3000.evil.test/  http://localhost:@evil.test/  http://localhost:3000\\@evil.test/  https://localhost:3000/
https://evil.test/../.ok.test/  https://a.ok.test/x/../y  https://a.ok.test/%2e%2e/x  https://a.ok.test/.%2E  https://a.ok.test/..?x
https://a.ok.test/x/..\\y  https://a.ok.test\\x
https://team.test/ours/../theirs  https://team.test/ours/%2e%2E/theirs  https://team.test/theirs  https://team.test/ours\\..\\theirs
https://a.ok.test/%  https://a.ok.test/%zz  https://a.ok.test/x\\  https://a.ok.test/?\\
myapp://callback/  myapp://callback?x  myapp://callback:1  myapp://CALLBACK  MyApp://callback  myapp:callback  myapp:/callback  myapp:///callback
myapp://u@callback  myapp://callback\\
myapp://callback%00  myapp://other  myapp://  myapp:  my_app://other  my_app:auth  my_app://u@auth  _app://auth  my-app://auth  evilapp://127.0.0.1/
evilapp://localhost/  evilapp://callback
query://back?state=x/y  query://back  query://backs  query://evil?back  exp:evil.test  exp:/evil  exp://u@h/x  exp://h\\x  exp://h:x/  exp+x:/cb/one/two
exp+x://cb/one  exp+x:cb/one
com.app.x:/oauth  com.app.x://oauth  com_app_x:oauth  any://app.testy/x  any://u@app.test/x  any://evil?//app.test/x
javascript:alert(1)  javascript://127.0.0.1/  javascript://app.test/%0aalert(1)  JavaScript://app.test/%0aalert(1)  data:text/html,x  data://app.test/x
vbscript:x  vbscript://app.test/x
blob:https://a.ok.test/x  blob://app.test/x  file:///etc/passwd  file://app.test/x  file://127.0.0.1/  file:/\\evil/x  ftp://app.test/x  ftp://127.0.0.1/
ftp:/evil.test/  ws://app.test/x
wss:evil.test  wss://app.test/x  about:blank  about://127.0.0.1/  mailto:a@a.ok.test  tel:1  view-source:https://a.ok.test/  intent://127.0.0.1/#Intent;end
`.split(/\s+/).filter(Boolean).concat([
	"", " ", " https://a.ok.test/", "https://a.ok.test /", "https://a.ok .test/", "https://a.ok.test\t/", "https://a.ok\n.test/",
	"https://a.ok.test/\r\nX: y",
	"\thttps://a.ok.test/", "\u0001https://a.ok.test/", "ht\ntps://a.ok.test/", "https:\n//a.ok.test/", "https://evil.test\t.ok.test/",
	"https://evil.test\u007f.ok.test/",
	"java\nscript://app.test/", "https://a.ok.test/\u0000", "https://evil.test\u2028.ok.test/", "https://evil.test\u200b.ok.test/",
	"https://\ufeffa.ok.test/",
	"https://evil.test /.ok.test/", "myapp://callback ", "https ://a.ok.test/", "https: //a.ok.test/", "https:/ /a.ok.test/",
]);

const here = "https://auth.test/auth/v1/verify";
for (const [list, allowed] of [[good, true], [odd, false]]) {
	for (const url of list) {
		if (url.includes("\u0000"))
			continue; // no C string
		const read = URL.canParse(url, here) ? new URL(url, here) : null;
		const whatwg = read && { scheme: read.protocol.slice(0, -1), user: read.username + read.password, host: read.hostname, port: read.port };
		console.log(JSON.stringify({ url, allowed, whatwg }));
	}
}
