/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_PAGES_H
#define HTML_PAGES_H

/* Pages: the templates html/page/<name>.html, made into C by html/embed.awk.  reply_html() of web/request.h fills one in. */
extern const char page_confirm[];  /* a button that sends this URL as POST */
extern const char page_redirect[]; /* on to .To */

#endif
