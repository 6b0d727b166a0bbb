/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTER_DEFAULT_H
#define LETTER_DEFAULT_H

/* Our own letters: letter/default/<name>.html inside frame.html, made into C by html/embed.awk. */
#define LETTER(id, name, ...) extern const char letter_default_##name[];
#define NOTICE(id, name, ...) extern const char letter_default_##name[];
#include "letter.def"

#endif
