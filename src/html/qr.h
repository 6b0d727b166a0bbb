/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_QR_H
#define HTML_QR_H

#include "base/arena.h"

/*
 * The text as a QR code, an SVG document: level H, 3 units a module.  There is no "#" in it: clients put it behind "data:image/svg+xml;utf-8," as
 * it is.  NULL for a text that is too long for one.
 */
char *qr_svg(struct arena *, const char *text);

#endif
