/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/row.h"

/* What stands for NULL. */
static const char *
text_filled(enum db_type type, const char *text)
{
	if (type == DB_STR)
		return (text == NULL ? "" : text);
	if (type == DB_OBJECT)
		return (text == NULL || strcmp(text, "null") == 0 ? "{}" : text);
	return (text);
}

static void
column_fill(const struct db_column *column, const char *value, char *row)
{
	const char *text = text_filled(column->type, value);
	long long number = text == NULL ? 0 : strtoll(text, NULL, 10);
	bool yes = text != NULL && *text == 't';
	long long at = column->type == DB_TIME ? clock_timestamptz(text) : 0;

	switch (column->type) {
	case DB_TEXT:
	case DB_STR:
	case DB_OBJECT:
		memcpy(row + column->offset, &text, sizeof(text));
		break;
	case DB_BOOL:
		memcpy(row + column->offset, &yes, sizeof(yes));
		break;
	case DB_INT:
		memcpy(row + column->offset, &number, sizeof(number));
		break;
	case DB_TIME:
		memcpy(row + column->offset, &at, sizeof(at));
		break;
	}
}

static void
row_fill(const struct db_statement *st, const PGresult *res, int n, char *row)
{
	bool found = true;

	memcpy(row + st->found_offset, &found, sizeof(found));
	for (unsigned i = 0; i < st->columns; i++)
		column_fill(&st->column[i], PQgetisnull(res, n, (int)i) ? NULL : PQgetvalue(res, n, (int)i), row);
}

static void
many_fill(struct arena *a, const struct db_statement *st, const PGresult *res, void *rows, size_t *count)
{
	size_t n = (size_t)PQntuples(res);
	char *list = arena_alloc(a, n * st->row_size);

	for (size_t i = 0; i < n; i++)
		row_fill(st, res, (int)i, list + i * st->row_size);
	/* The caller's pointer is to its own struct: only its bytes may be written here. */
	memcpy(rows, &list, sizeof(list));
	*count = n;
}

const char *
rows_fill(struct arena *a, const struct db_statement *st, PGresult *res, void *row, size_t *count)
{
	int n = PQntuples(res);

	if (PQnfields(res) != (int)st->columns)
		return ("not the columns that are declared");
	if (st->rows == DB_MANY) {
		many_fill(a, st, res, row, count);
		return (NULL);
	}
	memset(row, 0, st->row_size);
	if (n > 1 || (n == 0 && st->rows == DB_ONE))
		return (n == 0 ? "no row" : "more than one row");
	if (n == 1)
		row_fill(st, res, 0, row);
	return (NULL);
}

char *
db_array(struct arena *a, char *const *list)
{
	struct buf b = buf_new(a);

	buf_putc(&b, '{');
	for (; list != NULL && *list != NULL; list++) {
		buf_putc(&b, '"');
		for (const char *c = *list; *c != '\0'; c++) {
			if (*c == '"' || *c == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, *c);
		}
		buf_puts(&b, list[1] != NULL ? "\"," : "\"");
	}
	buf_putc(&b, '}');
	return (b.data);
}

/* An element of an array and the comma or brace behind it.  NULL without quotes is SQL's. */
static const char *
element_take(struct arena *a, const char *c, char **element)
{
	struct buf b = buf_new(a);
	bool quoted = *c == '"';

	for (c += quoted; *c != '\0' && (quoted ? *c != '"' : *c != ',' && *c != '}'); c++) {
		if (*c == '\\')
			c++;
		buf_putc(&b, *c);
	}
	*element = quoted || strcmp(b.data, "NULL") != 0 ? b.data : NULL;
	return (c + quoted);
}

/* As text times have the same order. */
static int
rows_order(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	int order;

	if (x[0] == NULL || y[0] == NULL)
		order = (x[0] == NULL) - (y[0] == NULL);
	else
		order = strcmp(x[0], y[0]);
	return (order != 0 ? order : strcmp(x[1], y[1]));
}

void *
db_rows(struct arena *a, const char *array, size_t columns, size_t *rows)
{
	const char *c = array == NULL ? "" : array;
	size_t count = 0, most = columns;
	char **cell;

	for (const char *comma = c; *comma != '\0'; comma++)
		most += *comma == ',';
	cell = arena_new_array(a, char *, most);
	while (*c != '\0')
		if (*c == '{' || *c == '}' || *c == ',')
			c++;
		else
			c = element_take(a, c, &cell[count++]);
	*rows = count / columns;
	qsort(cell, *rows, columns * sizeof(*cell), rows_order);
	return (cell);
}
