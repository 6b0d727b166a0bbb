/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTML_TEMPLATE_PART_H
#define HTML_TEMPLATE_PART_H

#include "html/escape.h"
#include "html/place.h"
#include "html/template.h"
#include "html/value.h"

/* What the files of templates share: template.c reads the text, template_pipe.c what stands between braces, template_run.c renders. */

#define DEEPEST 64 /* blocks and parentheses inside each other; variables */

struct call {
	struct arena *arena;
	const struct value *arg;
	size_t args;
	const char *why; /* set by a function that can't: a sentence */
};

/* A function gives its value, or NIL and call->why. */
struct function {
	const char *name;
	size_t least, most;
	struct value (*run)(struct call *);
	/* ESCAPER: one of html/template's own.  SAFE_URL: for pages alone. */
	enum { FUNCTION_PLAIN, FUNCTION_AND, FUNCTION_OR, FUNCTION_FORMAT, FUNCTION_ESCAPER, FUNCTION_SAFE_URL } way;
};

const struct function *function_find(const char *name);

/* NULL, or why these can't be the arguments of printf: the format says how many, and must be known. */
const char *format_check(const char *format, size_t args);

/* A value: of the dot, of a variable, written down, or what a function gives; then the member that path names. */
struct expr {
	enum { EXPR_DOT, EXPR_VARIABLE, EXPR_WRITTEN, EXPR_CALL, EXPR_INNER } kind; /* INNER: (arg[0]) */
	size_t offset, variable;
	struct value written;
	const struct function *function;
	struct expr *arg[8];
	size_t args;
	bool piped;  /* its last argument came by "|" */
	char **path; /* ends with NULL */
};

struct node {
	enum { NODE_TEXT, NODE_VALUE, NODE_SET, NODE_IF, NODE_WITH, NODE_RANGE } kind;
	const char *text;         /* TEXT: what is printed */
	const struct expr *expr;  /* all others */
	unsigned escapes;         /* VALUE */
	const char *nil;          /* VALUE: what is printed for what is not there */
	size_t variable, counter; /* where the value goes, and of RANGE the index; 0: nowhere */
	const struct node *body, *otherwise, *next;
};

/* A name that the template says, and the one before it. */
struct named {
	const char *name;
	const struct named *next;
};

struct template
{
	const char *text;
	size_t len;
	const struct node *first;
	const struct named *named;
};

struct parser {
	struct arena *arena;
	const char *text;
	size_t len, at;
	enum template_kind kind;
	struct place place;
	const char *variable[DEEPEST]; /* their names; the first is "$" */
	size_t variables, depth;
	enum { STOP_TEXT, STOP_ELSE, STOP_END } stop; /* what ended the list of nodes */
	size_t stopped_at;
	const struct named *named;
	const char *why; /* the first mistake */
};

char *template_place(struct arena *, const char *text, size_t len, size_t offset, const char *what); /* "line 1, column 2: what" */
void mistake(struct parser *, size_t offset, const char *what);

/* Small steps over the text.  word_read() takes the blanks behind the word as well. */
void blanks_skip(struct parser *);
bool text_has(const struct parser *, size_t at, const char *);
bool word_read(struct parser *, const char *word);
bool is_name_byte(char);

/* "$x := " and "$i, $x := ", then a pipeline; "$x = ".  false after a mistake.  pair: two may stand there. */
struct pipe {
	struct expr *expr;
	size_t variable, counter;
};
bool pipe_read(struct parser *, bool pair, struct pipe *);

#endif
