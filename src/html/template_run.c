/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "html/template_part.h"

/* Whoever signs up brings values of their own: a range over a range over them must not go on for ever. */
#define STEPS_MOST 100000
#define OUTPUT_MOST (1 << 20)

struct run {
	struct arena *arena;
	const struct template *template;
	struct value dot;
	struct value variable[DEEPEST];
	struct buf out;
	size_t steps;
	const char *why;
};

static bool
run_fail(struct run *run, size_t offset, const char *what)
{
	const struct template *t = run->template;

	run->why = template_place(run->arena, t->text, t->len, offset, what);
	return (false);
}

static bool eval(struct run *, const struct expr *, struct value *);

/* and, or: the first that decides; what stands behind it is not looked at. */
static bool
eval_choice(struct run *run, const struct expr *e, struct value *value)
{
	bool ends = e->function->way == FUNCTION_OR;

	for (size_t i = 0; i < e->args; i++) {
		if (!eval(run, e->arg[i], value))
			return (false);
		if (value_true(*value) == ends)
			break;
	}
	return (true);
}

static bool
eval_call(struct run *run, const struct expr *e, struct value *value)
{
	struct value arg[sizeof(e->arg) / sizeof(e->arg[0])];
	struct call call = { run->arena, arg, e->args, NULL };

	if (e->function->way == FUNCTION_AND || e->function->way == FUNCTION_OR)
		return (eval_choice(run, e, value));
	for (size_t i = 0; i < e->args; i++)
		if (!eval(run, e->arg[i], &arg[i]))
			return (false);
	*value = e->function->run(&call);
	return (call.why == NULL || run_fail(run, e->offset, call.why));
}

/* .Token inside a range or with, where $.Token is meant, must not become an empty link. */
static bool
eval_path(struct run *run, const struct expr *e, struct value *value)
{
	for (char **name = e->path; *name != NULL; name++) {
		if (value->kind != VALUE_OBJECT && (value->kind != VALUE_NIL || value->json != NULL))
			return (run_fail(run, e->offset, arena_printf(run->arena, "what stands before .%s is no object", *name)));
		*value = value_member(*value, *name);
	}
	return (true);
}

static bool
eval(struct run *run, const struct expr *e, struct value *value)
{
	bool good = true;

	switch (e->kind) {
	case EXPR_DOT:
		*value = run->dot;
		break;
	case EXPR_VARIABLE:
		*value = run->variable[e->variable];
		break;
	case EXPR_WRITTEN:
		*value = e->written;
		break;
	case EXPR_CALL:
		good = eval_call(run, e, value);
		break;
	case EXPR_INNER:
		good = eval(run, e->arg[0], value);
		break;
	}
	return (good && eval_path(run, e, value));
}

/* --- Nodes --- */

static bool run_list(struct run *, const struct node *);

static void
variable_set(struct run *run, size_t variable, struct value value)
{
	if (variable > 0)
		run->variable[variable] = value;
}

static bool
run_with(struct run *run, const struct node *list, struct value dot)
{
	struct value outside = run->dot;
	bool good;

	run->dot = dot;
	good = run_list(run, list);
	run->dot = outside;
	return (good);
}

static bool
range_step(struct run *run, const struct node *node, struct value index, struct value value)
{
	variable_set(run, node->counter, index);
	variable_set(run, node->variable, value);
	return (run_with(run, node->body, value));
}

static bool
run_range(struct run *run, const struct node *node, struct value over)
{
	size_t len = value_len(over);
	struct member *member = over.kind == VALUE_OBJECT ? value_members(run->arena, over) : NULL;
	bool good = true;

	if (over.kind != VALUE_NIL && over.kind != VALUE_ARRAY && over.kind != VALUE_OBJECT)
		return (run_fail(run, node->expr->offset, "this is no list and no object, so range has nothing to go over"));
	for (size_t i = 0; i < len && good; i++)
		if (member != NULL)
			good = range_step(run, node, (struct value){ VALUE_TEXT, { .text = member[i].name } }, member[i].value);
		else
			good =
			    range_step(run, node, (struct value){ VALUE_INT, { .integer = (int64_t)i } }, value_of(json_at(over.json, i)));
	return (len == 0 ? run_list(run, node->otherwise) : good);
}

static bool
run_block(struct run *run, const struct node *node, struct value value)
{
	if (node->kind == NODE_RANGE)
		return (run_range(run, node, value));
	variable_set(run, node->variable, value);
	if (!value_true(value))
		return (run_list(run, node->otherwise));
	return (run_with(run, node->body, node->kind == NODE_WITH ? value : run->dot));
}

static bool
run_node(struct run *run, const struct node *node)
{
	struct value value;

	if (node->kind == NODE_TEXT) {
		buf_puts(&run->out, node->text);
		return (true);
	}
	if (++run->steps > STEPS_MOST || run->out.len > OUTPUT_MOST)
		return (run_fail(run, node->expr->offset, "this becomes too long"));
	if (!eval(run, node->expr, &value))
		return (false);
	if (node->kind == NODE_VALUE)
		escape_put(&run->out, node->escapes, value_text(run->arena, value, node->nil));
	else if (node->kind == NODE_SET)
		variable_set(run, node->variable, value);
	else
		return (run_block(run, node, value));
	return (true);
}

static bool
run_list(struct run *run, const struct node *node)
{
	for (; node != NULL; node = node->next)
		if (!run_node(run, node))
			return (false);
	return (true);
}

char *
template_render(struct arena *a, const struct template *t, const json *values, const char **why)
{
	struct run *run = arena_new_object(a, struct run);

	*run = (struct run){ .arena = a, .template = t, .dot = value_of(values), .out = buf_new(a) };
	run->variable[0] = run->dot;
	*why = NULL;
	if (!run_list(run, t->first)) {
		*why = run->why;
		return (NULL);
	}
	return (run->out.len > 0 ? run->out.data : arena_strdup(a, ""));
}
