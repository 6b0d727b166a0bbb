/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/glob.h"
#include "base/str.h"
#include "base/utf8.h"

/*
 * A pattern becomes a row of steps.  Matching keeps the set of steps that the text so far can lead to; every step that takes
 * no character leads forward only, so that one pass over the row completes the set, and no text can make it backtrack.
 */
enum op {
	OP_POINT,  /* one given character */
	OP_SET,    /* one of a set */
	OP_SINGLE, /* ? */
	OP_STAR,   /* * */
	OP_SUPER,  /* ** */
	OP_SPLIT,  /* goes on at the next step, and at target where there is one */
	OP_JUMP,   /* goes on at target */
	OP_END,
};

#define NOWHERE SIZE_MAX

struct step {
	enum op op;
	bool negated, range;    /* OP_SET */
	uint32_t point;         /* OP_POINT */
	const uint32_t *points; /* OP_SET: the list, or the two ends of the range */
	size_t len;             /* of points */
	size_t target;          /* OP_SPLIT, OP_JUMP; while compiling: the jump before this one in its braces */
};

struct glob {
	struct step *step;
	size_t len;
	const uint32_t *separators;
	size_t separators_len;
	bool *now, *next; /* the two sets of glob_match() */
};

/* An open brace. */
struct brace {
	size_t split; /* of the alternative at hand */
	size_t jump;  /* the newest of those to be led behind the closing brace */
};

struct compiler {
	struct arena *arena;
	struct glob *glob;
	const uint32_t *pattern; /* ends with 0 */
	size_t at;
	struct brace *brace;
	size_t depth;
};

/* The text as code points; a byte that is no UTF-8 becomes UTF8_REPLACEMENT. */
static uint32_t *
points_of(struct arena *arena, const char *text, size_t *count)
{
	size_t len = strlen(text);
	uint32_t *points = arena_new_array(arena, uint32_t, len + 1);

	*count = 0;
	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_read(text + at, len - at, &points[(*count)++]);
		step += step == 0;
	}
	return (points);
}

static bool
point_in(uint32_t point, const uint32_t *points, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (points[i] == point)
			return (true);
	}
	return (false);
}

static struct step *
step_add(struct compiler *compiler, enum op op)
{
	struct step *step = &compiler->glob->step[compiler->glob->len++];

	*step = (struct step){ .op = op, .target = NOWHERE };
	return (step);
}

static void
alternative_open(struct compiler *compiler)
{
	compiler->brace[compiler->depth - 1].split = compiler->glob->len;
	step_add(compiler, OP_SPLIT);
}

static void
brace_open(struct compiler *compiler)
{
	compiler->brace[compiler->depth++].jump = NOWHERE;
	alternative_open(compiler);
}

static void
brace_next(struct compiler *compiler)
{
	struct brace *brace = &compiler->brace[compiler->depth - 1];

	step_add(compiler, OP_JUMP)->target = brace->jump;
	brace->jump = compiler->glob->len - 1;
	compiler->glob->step[brace->split].target = compiler->glob->len;
	alternative_open(compiler);
}

static void
brace_close(struct compiler *compiler)
{
	struct brace *brace = &compiler->brace[--compiler->depth];
	struct step *step = compiler->glob->step;

	for (size_t at = brace->jump, before; at != NOWHERE; at = before) {
		before = step[at].target;
		step[at].target = compiler->glob->len;
	}
}

/* Behind "[" and "!": "a-z]".  The ends are taken as they stand, even a bracket or a backslash. */
static bool
range_add(struct compiler *compiler, bool negated)
{
	const uint32_t *low = compiler->pattern + compiler->at;
	struct step *step = step_add(compiler, OP_SET);
	uint32_t *ends = arena_new_array(compiler->arena, uint32_t, 2);

	if (low[2] == 0 || low[2] < low[0] || low[3] != ']')
		return (false);
	ends[0] = low[0];
	ends[1] = low[2];
	step->negated = negated;
	step->range = true;
	step->points = ends;
	step->len = 2;
	compiler->at += 4;
	return (true);
}

/* Behind "[" and "!": "abc]". */
static bool
list_add(struct compiler *compiler, bool negated)
{
	const uint32_t *c = compiler->pattern + compiler->at;
	struct step *step = step_add(compiler, OP_SET);
	uint32_t *points;
	size_t len = 0;

	while (c[len] != 0)
		len++;
	points = arena_new_array(compiler->arena, uint32_t, len);
	for (; *c != ']'; c++) {
		c += *c == '\\';
		if (*c == 0)
			return (false);
		points[step->len++] = *c;
	}
	step->negated = negated;
	step->points = points;
	compiler->at = (size_t)(c + 1 - compiler->pattern);
	return (step->len > 0);
}

static bool
set_add(struct compiler *compiler)
{
	bool negated = compiler->pattern[compiler->at] == '!';

	compiler->at += negated;
	if (compiler->pattern[compiler->at] != 0 && compiler->pattern[compiler->at + 1] == '-')
		return (range_add(compiler, negated));
	return (list_add(compiler, negated));
}

static bool
point_add(struct compiler *compiler, uint32_t point)
{
	if (point == '\\') {
		point = compiler->pattern[compiler->at];
		if (point == 0)
			return (true); /* a backslash at the very end means nothing */
		compiler->at++;
	}
	step_add(compiler, OP_POINT)->point = point;
	return (true);
}

static bool
item_add(struct compiler *compiler)
{
	uint32_t point = compiler->pattern[compiler->at++];

	if (point == '[')
		return (set_add(compiler));
	if (point == '*') {
		bool super = compiler->pattern[compiler->at] == '*';

		compiler->at += super;
		step_add(compiler, super ? OP_SUPER : OP_STAR);
	} else if (point == '?')
		step_add(compiler, OP_SINGLE);
	else if (point == '{')
		brace_open(compiler);
	else if (point == ',' && compiler->depth > 0)
		brace_next(compiler);
	else if (point == '}' && compiler->depth > 0)
		brace_close(compiler);
	else
		return (point_add(compiler, point));
	return (true);
}

struct glob *
glob_compile(struct arena *arena, const char *pattern, const char *separators)
{
	struct glob *glob = arena_new_object(arena, struct glob);
	struct compiler compiler = { .arena = arena, .glob = glob };
	size_t len;

	pattern = str_or(pattern, "");
	if (!utf8_valid(pattern, strlen(pattern)))
		return (NULL);
	compiler.pattern = points_of(arena, pattern, &len);
	compiler.brace = arena_new_array(arena, struct brace, len + 1);
	glob->step = arena_new_array(arena, struct step, 2 * len + 1); /* a comma makes two */
	glob->separators = points_of(arena, str_or(separators, ""), &glob->separators_len);
	while (compiler.pattern[compiler.at] != 0) {
		if (!item_add(&compiler))
			return (NULL);
	}
	while (compiler.depth > 0)
		brace_close(&compiler); /* the reference takes "{a,b" so */
	step_add(&compiler, OP_END);
	glob->now = arena_new_array(arena, bool, glob->len);
	glob->next = arena_new_array(arena, bool, glob->len);
	return (glob);
}

/* Adds what can be reached without a character. */
static void
steps_complete(const struct glob *glob)
{
	for (size_t i = 0; i < glob->len; i++) {
		const struct step *step = &glob->step[i];

		if (!glob->now[i])
			continue;
		if (step->op == OP_STAR || step->op == OP_SUPER || step->op == OP_SPLIT)
			glob->now[i + 1] = true;
		if (step->target != NOWHERE)
			glob->now[step->target] = true;
	}
}

static bool
step_takes(const struct glob *glob, const struct step *step, uint32_t point)
{
	switch (step->op) {
	case OP_POINT:
		return (point == step->point);
	case OP_SET:
		if (step->range)
			return ((point >= step->points[0] && point <= step->points[1]) != step->negated);
		return (point_in(point, step->points, step->len) != step->negated);
	case OP_SINGLE:
	case OP_STAR:
		return (!point_in(point, glob->separators, glob->separators_len));
	case OP_SUPER:
		return (true);
	default:
		return (false);
	}
}

/* False when no step takes the character. */
static bool
steps_advance(const struct glob *glob, uint32_t point)
{
	bool any = false;

	memset(glob->next, 0, glob->len * sizeof(bool));
	for (size_t i = 0; i < glob->len; i++) {
		const struct step *step = &glob->step[i];

		if (!glob->now[i] || !step_takes(glob, step, point))
			continue;
		glob->next[step->op == OP_STAR || step->op == OP_SUPER ? i : i + 1] = true;
		any = true;
	}
	memcpy(glob->now, glob->next, glob->len * sizeof(bool));
	steps_complete(glob);
	return (any);
}

bool
glob_match(const struct glob *glob, const char *text)
{
	size_t len;
	uint32_t point;

	text = str_or(text, "");
	len = strlen(text);
	memset(glob->now, 0, glob->len * sizeof(bool));
	glob->now[0] = true;
	steps_complete(glob);
	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_read(text + at, len - at, &point);
		step += step == 0;
		if (!steps_advance(glob, point))
			return (false);
	}
	return (glob->now[glob->len - 1]);
}

/* One that the set takes: of a negated one, one that may stand anywhere in a URL. */
static uint32_t
set_example(const struct step *step)
{
	const char *plain = "0123456789abcdefghijklmnopqrstuvwxyz";

	if (!step->negated)
		return (step->points[0]);
	while (plain[1] != '\0' && !step_takes(NULL, step, (unsigned char)*plain))
		plain++;
	return ((unsigned char)*plain);
}

char *
glob_example(struct arena *arena, const struct glob *glob, char wild)
{
	struct buf out = buf_new(arena);

	for (size_t i = 0; i < glob->len; i++) {
		const struct step *step = &glob->step[i];

		if (step->op == OP_JUMP)
			i = step->target - 1;
		else if (step->op == OP_POINT || step->op == OP_SET)
			utf8_put(&out, step->op == OP_SET ? set_example(step) : step->point);
		else if (step->op != OP_SPLIT && step->op != OP_END)
			buf_putc(&out, wild);
	}
	return (out.data);
}
