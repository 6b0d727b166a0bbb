# SPDX-License-Identifier: Apache-2.0
#
# Makes typed C functions of the statements in sql/query/*.sql (HACKING.md has the language, src/db/db.h what becomes of it):
#
#	awk -v into=query -f sql/compile.awk sql/fragment/*.sql sql/query/*.sql
#
# writes query/<thing>.h and query/<thing>.c for each query file and query/list.c with all of them.  A file whose text would
# stay the same is not touched, so that make compiles only what depends on a statement that changed.  On a mistake nothing is
# written, every mistake is named with its file and line, and the exit status is 1.
#
# Written for any POSIX awk; mawk lacks gawk's extensions and has a small buffer for printf: long text goes through print only.

BEGIN {
	NAME = "[a-z_][a-z0-9_]*"
	type_c["text"] = "const char *"; type_id["text"] = "DB_TEXT"
	type_c["bool"] = "bool ";        type_id["bool"] = "DB_BOOL"
	type_c["int"] = "long long ";    type_id["int"] = "DB_INT"
	type_c["time"] = "long long ";   type_id["time"] = "DB_TIME"
	type_c["str"] = "const char *";  type_id["str"] = "DB_STR"
	type_c["object"] = "const char *"; type_id["object"] = "DB_OBJECT"
	words("found auto break case char const continue default do double else enum extern float for goto if inline int long " \
	    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool " \
	    "true false checked", reserved)
	words("insert update delete merge truncate call lock set_config nextval setval notify pg_notify " \
	    "pg_advisory_lock pg_advisory_xact_lock pg_try_advisory_lock pg_try_advisory_xact_lock", writing)
}

FNR == 1 { file_begin() }
in_fragment { fragment[thing] = fragment[thing] $0 "\n"; next }
open { heading_go_on(); next }
is_heading($0) { heading_begin(); next }
heads && !row_head[heads] { body[heads] = body[heads] $0 "\n"; next }
$0 !~ /^[ \t]*(--.*)?$/ { complain(FILENAME, FNR, "a statement needs a heading: -- name(inputs) -> none | one | maybe | many ...") }

END {
	if (open)
		complain(head_file[heads], head_line[heads], "the heading does not end")
	for (h = 1; h <= heads; h++)
		if (row_head[h])
			row_read(h)
	for (h = 1; h <= heads; h++)
		if (!row_head[h])
			statement_read(h)
	if (mistakes)
		exit 1
	for (t = 1; t <= things; t++) {
		save(into "/" thing_name[t] ".h", header_text(t))
		save(into "/" thing_name[t] ".c", code_text(t))
	}
	save(into "/list.c", list_text())
}

function words(text, set,    list, n, i) {
	n = split(text, list, " ")
	for (i = 1; i <= n; i++)
		set[list[i]] = 1
}

function complain(file, line, sentence) {
	print file ":" line ": " sentence > "/dev/stderr"
	mistakes++
}

function trim(text) {
	sub(/^[ \t\n]+/, "", text)
	sub(/[ \t\n]+$/, "", text)
	return (text)
}

# --- Reading files: headings and what stands under them ---

function file_begin() {
	if (open)
		complain(head_file[heads], head_line[heads], "the heading does not end")
	open = 0
	thing = FILENAME
	in_fragment = thing ~ /(^|\/)fragment\/[^\/]*$/
	sub(/.*\//, "", thing)
	sub(/\.sql$/, "", thing)
	if (!in_fragment) {
		thing_name[++things] = thing
		row_head[++heads] = 1 # what stands before the first heading belongs to no statement
		head_text[heads] = ""
	}
}

# Without a blank before the parenthesis, so that a comment may say "users (all of them)".
function is_heading(line) {
	return (line ~ ("^-- *" NAME "[(]") || line ~ ("^-- *row +" NAME) || line ~ /^--.*->/)
}

function heading_begin() {
	head_file[++heads] = FILENAME
	head_line[heads] = FNR
	head_thing[heads] = things
	row_head[heads] = $0 ~ ("^-- *row +" NAME)
	head_text[heads] = ""
	heading_add()
}

function heading_go_on() {
	if ($0 ~ /^--/) {
		heading_add()
	} else {
		complain(FILENAME, FNR, "the heading goes on (it ended with a comma or in a parenthesis), but this is no comment")
		open = 0
	}
}

function heading_add(    text) {
	text = $0
	sub(/^-- */, "", text)
	text = head_text[heads] text
	head_text[heads] = text
	body_line[heads] = FNR + 1
	open = text ~ /,[ \t]*$/ || (text ~ /[(]/ && text !~ /[)]/)
}

function wrong(h, sentence) {
	complain(head_file[h], head_line[h], sentence)
	return (0)
}

function row_read(h,    text, name) {
	text = trim(head_text[h])
	if (text == "")
		return
	if (!match(text, "^row +" NAME " *:")) {
		wrong(h, "not understood: a row is declared as -- row name: column, column:type")
		return
	}
	name = substr(text, 1, RLENGTH - 1)
	sub(/^row +/, "", name)
	name = trim(name)
	if (name_take(h, name) && columns_read(h, name, substr(text, RLENGTH + 1)))
		row_thing[name] = head_thing[h]
	head_name[h] = name
}

function name_take(h, name) {
	if (name in reserved)
		return (wrong(h, "\"" name "\" is a word of C"))
	if (name in taken)
		return (wrong(h, "\"" name "\" stands already at " taken[name]))
	taken[name] = head_file[h] ":" head_line[h]
	return (1)
}

function columns_read(h, row, text,    list, n, i, parts, seen) {
	n = split(text, list, ",")
	for (i = 1; i <= n; i++) {
		if (i == 1 && n > 1 && trim(list[1]) in row_thing) {
			row_nest(row, trim(list[1]), seen)
			continue
		}
		if (trim(list[i]) !~ ("^" NAME "( *: *[a-z]+)?$"))
			return (wrong(h, "\"" trim(list[i]) "\" is no column: name or name:bool, name:int, name:time, name:str, name:object"))
		if (split(list[i], parts, ":") == 1)
			parts[2] = "text"
		parts[1] = trim(parts[1])
		parts[2] = trim(parts[2])
		if (!(parts[2] in type_c))
			return (wrong(h, "column " parts[1] ": there is no type " parts[2] ", only text, bool, int, time, str and object"))
		if (parts[1] in reserved)
			return (wrong(h, "column " parts[1] ": the name is taken (by C, or by us), say as ..."))
		if (parts[1] in seen)
			return (wrong(h, "column " parts[1] " stands twice"))
		seen[parts[1]] = 1
		column_add(row, parts[1], parts[1], parts[2])
	}
	return (columns[row] > 0)
}

# The columns of a declared row first, as a struct of its name.
function row_nest(row, inner, seen,    i) {
	nested[row] = inner
	for (i = 1; i <= columns[inner]; i++) {
		seen[column[inner, i]] = 1
		column_add(row, column[inner, i], inner "." column[inner, i], column_type[inner, i])
	}
}

function column_add(row, name, member, type) {
	columns[row]++
	column[row, columns[row]] = name
	column_member[row, columns[row]] = member
	column_type[row, columns[row]] = type
}

# --- Statements ---

function statement_read(h,    text, at) {
	text = trim(head_text[h])
	if (!match(text, "^" NAME "[(][^()]*[)] *-> *")) {
		wrong(h, "not understood: a heading is -- name(inputs) -> [final] [write] [custom] none | one | maybe | many columns")
		return
	}
	at = index(text, "(")
	head_name[h] = substr(text, 1, at - 1)
	if (!name_take(h, head_name[h]) || !result_read(h, substr(text, RLENGTH + 1)) ||
	    !inputs_read(h, substr(text, at + 1, index(text, ")") - at - 1)))
		return
	statement_body(h)
}

function inputs_read(h, text,    list, n, i, name) {
	n = trim(text) == "" ? 0 : split(text, list, ",")
	for (i = 1; i <= n; i++) {
		name = trim(list[i])
		if (name !~ ("^" NAME "$"))
			return (wrong(h, "\"" name "\" is no name of an input"))
		if (name in reserved)
			return (wrong(h, "input " name ": the name is taken (by C, or by us)"))
		if ((h, name) in input_number)
			return (wrong(h, "input " name " stands twice"))
		input_number[h, name] = i
		input[h, i] = name
	}
	inputs[h] = n
	return (1)
}

function result_read(h, text,    word) {
	for (;;) {
		match(text, /^[a-z]*/)
		word = substr(text, 1, RLENGTH)
		text = trim(substr(text, RLENGTH + 1))
		if (word == "final")
			final[h] = 1
		else if (word == "write")
			write[h] = 1
		else if (word == "custom")
			custom[h] = 1
		else
			break
	}
	rows[h] = word
	if (word == "none" && final[h])
		return (wrong(h, "final says nothing about none: what is queued needs no BEGIN anyway"))
	if (word == "none")
		return (text == "" ? 1 : wrong(h, "none has no columns"))
	if (word != "one" && word != "maybe" && word != "many")
		return (wrong(h, "\"" word "\" is not one of none, one, maybe, many (after final, write and custom)"))
	if (text == "")
		return (wrong(h, word " needs columns or the name of a row"))
	if (text in row_thing) {
		row_of[h] = text
		return (1)
	}
	own_row[h] = 1
	row_of[h] = head_name[h]
	return (columns_read(h, head_name[h], text))
}

function statement_body(h,    i) {
	current = h
	line_now = body_line[h]
	sql[h] = trim(expand(body[h], 0))
	if (sql[h] == "")
		wrong(h, head_name[h] ": there is no statement under the heading")
	for (i = 1; i <= inputs[h]; i++)
		if (!((h, input[h, i]) in input_used))
			wrong(h, head_name[h] ": input " input[h, i] " is not used")
	write[h] = write[h] || final[h] || writes(sql[h])
}

# Does it change or lock something?  Then it belongs into a transaction.
function writes(text,    n, word, before) {
	for (; text != ""; text = substr(text, n + 1)) {
		n = token(text)
		if (kind != "word")
			continue
		word = tolower(substr(text, 1, n))
		if (word in writing || (word == "share" && (before == "for" || before == "key")) || (word == "local" && before == "set"))
			return (1)
		before = word
	}
	return (0)
}

# The next token of SQL text: its length; its kind in the variable of that name.
function token(text) {
	kind = "space"
	if (match(text, /^([ \t\r\n]|--[^\n]*)+/))
		return (RLENGTH)
	if (text ~ /^\/\*/)
		return (comment_length(text))
	kind = "quote"
	if (match(text, /^[eE]'([^'\\]|\\[^\n]|'')*'/) || match(text, /^'([^']|'')*'/) || match(text, /^"([^"]|"")*"/))
		return (RLENGTH)
	if (match(text, /^[$][A-Za-z_]*[$]/))
		return (closed(text, substr(text, 1, RLENGTH)))
	kind = "open"
	if (text ~ /^['"]/)
		return (length(text))
	kind = "input"
	if (match(text, "^:" NAME))
		return (RLENGTH)
	kind = "fragment"
	if (match(text, "^%" NAME))
		return (RLENGTH)
	kind = "argument"
	if (match(text, /^&[1-9]/))
		return (2)
	kind = "word"
	if (match(text, /^[A-Za-z0-9_][A-Za-z0-9_$]*/))
		return (RLENGTH)
	kind = "other"
	return (text ~ /^::/ ? 2 : 1)
}

function closed(text, tag,    at) {
	at = index(substr(text, length(tag) + 1), tag)
	if (at)
		return (at + 2 * length(tag) - 1)
	kind = "open"
	return (length(text))
}

function comment_length(text,    at, depth) {
	for (at = 1; at <= length(text); at++) {
		if (substr(text, at, 2) == "/*") {
			depth++
			at++
		} else if (substr(text, at, 2) == "*/") {
			at++
			if (--depth == 0)
				return (at)
		}
	}
	kind = "open"
	return (length(text))
}

# SQL as the server gets it: inputs numbered, fragments put in, comments and layout gone.  depth counts fragments in fragments.
function expand(text, depth,    out, part, n) {
	for (; text != ""; text = substr(text, n + 1)) {
		n = token(text)
		part = substr(text, 1, n)
		if (kind == "space") {
			if (out != "" && substr(out, length(out)) != " ")
				out = out " "
		} else if (kind == "input") {
			out = out input_place(substr(part, 2))
		} else if (kind == "argument") {
			out = out argument(part, depth)
		} else if (kind == "fragment") {
			if (substr(text, n + 1, 1) == "(")
				n += balanced(substr(text, n + 1))
			out = out fragment_text(substr(part, 2), substr(text, length(part) + 1, n - length(part)), depth)
			continue # its lines were counted with its arguments
		} else if (part == ";") {
			if (depth || trim(code_only(substr(text, 2))) != "")
				mistake("a ; in the middle: one statement a heading, and fragments are no statements")
		} else {
			if (kind == "open")
				mistake("a quote or comment does not end")
			out = out part
		}
		if (!depth)
			line_now += gsub(/\n/, "\n", part)
	}
	return (out)
}

function mistake(sentence) {
	complain(head_file[current], line_now, head_name[current] ": " sentence)
	return ("")
}

# What is left without comments.
function code_only(text,    out, n) {
	for (; text != ""; text = substr(text, n + 1)) {
		n = token(text)
		if (kind != "space")
			out = out substr(text, 1, n)
	}
	return (out)
}

function input_place(name) {
	if (!((current, name) in input_number))
		return (mistake("input :" name " is not declared"))
	input_used[current, name] = 1
	return ("$" input_number[current, name])
}

function argument(part, depth) {
	part = substr(part, 2)
	if (!depth)
		return (mistake("&" part " has a meaning only in a fragment"))
	if (part > arguments[depth])
		return (mistake("fragment " fragment_name[depth] " wants an argument &" part))
	argument_used[depth, part] = 1
	return (argument_text[depth, part])
}

# The length of the parenthesis that text starts with.
function balanced(text,    at, n, depth, c) {
	for (at = 1; at <= length(text); at += n) {
		n = token(substr(text, at))
		c = substr(text, at, 1)
		if (c == "(")
			depth++
		if (c == ")" && --depth == 0)
			return (at)
	}
	mistake("a parenthesis does not end")
	return (length(text))
}

function fragment_text(name, parenthesis, depth,    list, n, i, out) {
	if (!(name in fragment))
		return (mistake("there is no fragment " name))
	if (depth > 20)
		return (mistake("fragment " name " includes itself"))
	n = arguments_split(parenthesis, list)
	for (i = 1; i <= n; i++)
		list[i] = trim(expand(list[i], depth))
	arguments[++depth] = n
	fragment_name[depth] = name
	for (i = 1; i <= n; i++) {
		argument_text[depth, i] = list[i]
		delete argument_used[depth, i]
	}
	out = trim(expand(fragment[name], depth))
	for (i = 1; i <= n; i++)
		if (!((depth, i) in argument_used))
			mistake("fragment " name " has no use for an argument &" i)
	return (out)
}

function arguments_split(text, list,    n, at, len, depth, c) {
	if (text == "")
		return (0)
	list[n = 1] = ""
	for (at = 2; at < length(text); at += len) {
		len = token(substr(text, at))
		c = substr(text, at, 1)
		depth += (c == "(") - (c == ")")
		if (c == "," && !depth)
			list[++n] = ""
		else
			list[n] = list[n] substr(text, at, len)
	}
	return (n)
}

# --- Writing C ---

function save(path, text,    line, old) {
	while ((getline line < path) > 0)
		old = old line "\n"
	close(path)
	if (old == text "\n")
		return
	print text > path
	close(path)
}

function header_text(t,    out, h, guard, seen, name) {
	guard = "QUERY_" toupper(thing_name[t]) "_H"
	out = "/* Made by sql/compile.awk of sql/query/" thing_name[t] ".sql: change that. */\n" \
	    "#ifndef " guard "\n#define " guard "\n\n#include \"db/db.h\"\n"
	for (h = 1; h <= heads; h++) {
		name = row_head[h] ? head_name[h] : row_of[h]
		if (name in nested)
			name = nested[name]
		if (head_thing[h] == t && (name in row_thing) && row_thing[name] != t && !(row_thing[name] in seen)) {
			seen[row_thing[name]] = 1
			out = out "\n#include \"query/" thing_name[row_thing[name]] ".h\"\n"
		}
	}
	for (h = 1; h <= heads; h++)
		if (head_thing[h] == t && row_head[h])
			out = out row_struct(head_name[h]) rows_struct(head_name[h])
	for (h = 1; h <= heads; h++)
		if (head_thing[h] == t && !row_head[h])
			out = out declaration(h)
	return (out "\n#endif")
}

function row_struct(row,    out, i) {
	out = "\nstruct " row " {\n\tbool found;\n"
	if (row in nested)
		out = out "\tstruct " nested[row] " " nested[row] ";\n"
	for (i = 1; i <= columns[row]; i++)
		if (column_member[row, i] == column[row, i])
			out = out "\t" type_c[column_type[row, i]] column[row, i] ";\n"
	return (out "};\n")
}

function rows_struct(row) {
	return ("\nstruct " row "_rows {\n\tsize_t len;\n\tstruct " row " *row;\n};\n")
}

function prototype(h,    name) {
	name = head_name[h] (inputs[h] ? "_" : "") "(struct db *db"
	if (rows[h] != "none")
		name = name ", struct " row_of[h] (rows[h] == "many" ? "_rows" : "") " *row"
	if (inputs[h])
		name = name ", const struct " head_name[h] "_in *in"
	return (name ")")
}

function declaration(h,    out, i, row) {
	if (own_row[h])
		out = row_struct(row_of[h]) (rows[h] == "many" ? rows_struct(row_of[h]) : "")
	if (!inputs[h])
		return (out "\nchecked err " prototype(h) ";\n")
	out = out "\nstruct " head_name[h] "_in {\n"
	for (i = 1; i <= inputs[h]; i++)
		out = out "\tconst char *" input[h, i] ";\n"
	row = rows[h] != "none"
	return (out "};\nchecked err " prototype(h) ";\n#define " head_name[h] "(db, " (row ? "row, " : "") "...) \\\n\t" \
	    head_name[h] "_((db), " (row ? "(row), " : "") "&(const struct " head_name[h] "_in){ __VA_ARGS__ })\n")
}

function code_text(t,    out, h, seen) {
	out = "/* Made by sql/compile.awk of sql/query/" thing_name[t] ".sql: change that. */\n#include \"query/" thing_name[t] ".h\"\n\n" \
	    "/* C99 promises only 4095 bytes. */\n#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
	for (h = 1; h <= heads; h++) {
		if (head_thing[h] != t || row_head[h])
			continue
		if (row_of[h] != "" && !(row_of[h] in seen)) {
			seen[row_of[h]] = 1
			out = out column_table(row_of[h])
		}
		out = out statement_table(h) definition(h)
	}
	return (substr(out, 1, length(out) - 1))
}

function column_table(row,    out, i) {
	out = "\nstatic const struct db_column " row "_column[] = {\n"
	for (i = 1; i <= columns[row]; i++)
		out = out "\t{ \"" column[row, i] "\", " type_id[column_type[row, i]] ", offsetof(struct " row ", " column_member[row, i] ") },\n"
	return (out "};\n")
}

function statement_table(h,    row) {
	row = row_of[h]
	return ("\nextern const struct db_statement statement_" head_name[h] ";\n" \
	    "const struct db_statement statement_" head_name[h] " = {\n" \
	    "\t.name = \"" head_name[h] "\",\n\t.sql =" c_string(sql[h]) ",\n" \
	    "\t.inputs = " inputs[h] + 0 ", .rows = DB_" toupper(rows[h]) ", .write = " (write[h] ? "true" : "false") \
	    ", .final = " (final[h] ? "true" : "false") ", .custom = " (custom[h] ? "true" : "false") ",\n" \
	    (row == "" ? "" : "\t.column = " row "_column, .columns = " columns[row] ", .row_size = sizeof(struct " row "),\n" \
	    "\t.found_offset = offsetof(struct " row ", found),\n") "};\n")
}

function definition(h,    out, i) {
	out = "\nerr\n" prototype(h) "\n{\n"
	if (inputs[h]) {
		out = out "\tconst char *const inputs[] = {"
		for (i = 1; i <= inputs[h]; i++)
			out = out " in->" input[h, i] (i < inputs[h] ? "," : " };\n")
		out = out "\n"
	}
	return (out "\treturn (db_run(db, &statement_" head_name[h] ", " (inputs[h] ? "inputs" : "NULL") ", " \
	    (rows[h] == "none" ? "NULL, NULL" : rows[h] == "many" ? "&row->row, &row->len" : "row, NULL") "));\n}\n")
}

# Literals of a bearable length, broken after blanks.
function c_string(text,    out, part, c, i) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\n")
			c = "\\n"
		else if (c == "\\" || c == "\"" || c == "?") # ?: trigraphs
			c = "\\" c
		part = part c
		if (c == " " && length(part) > 90) {
			out = out "\n\t    \"" part "\""
			part = ""
		}
	}
	return (out "\n\t    \"" part "\"")
}

function list_text(    out, list, h) {
	for (h = 1; h <= heads; h++) {
		if (row_head[h])
			continue
		out = out "extern const struct db_statement statement_" head_name[h] ";\n"
		list = list "\t&statement_" head_name[h] ",\n"
	}
	return ("/* Made by sql/compile.awk: every statement there is. */\n#include \"db/db.h\"\n\n" out \
	    "\nconst struct db_statement *const db_statement_list[] = {\n" list "\tNULL\n};")
}
