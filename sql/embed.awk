# SPDX-License-Identifier: Apache-2.0
# awk -f sql/embed.awk sql/schema/*.sql >schema_sql.c: the files in the order given, as C (see src/db/schema_sql.h).
# Lines stay apart, since a compiler need not take a string of more than 4095 bytes; blank lines and comments stay behind.
FNR == 1 {
	if (files++)
		print "\tNULL\n};\n"
	else
		print "/* Made by sql/embed.awk. */\n#include <stddef.h>\n\n#include \"db/schema_sql.h\"\n"
	name[files] = FILENAME
	sub(/^.*\//, "", name[files])
	sub(/\.sql$/, "", name[files])
	print "static const char *const file_" files "[] = {"
}

name[files] ~ /-versions$/ {
	rest = $0
	while (match(rest, /\('[0-9]+'\)/)) {
		versions = versions "\t\"" substr(rest, RSTART + 2, RLENGTH - 4) "\",\n"
		rest = substr(rest, RSTART + RLENGTH)
	}
}

/^[ \t]*(--.*)?$/ { next }

{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	print "\t\"" $0 "\","
}

END {
	print "\tNULL\n};\n\nconst struct schema_file schema_files[] = {"
	for (i = 1; i <= files; i++)
		print "\t{ \"" name[i] "\", " (name[i] >= "90" ? "true" : "false") ", file_" i " },"
	print "\t{ NULL, false, NULL }\n};\n\nconst char *const schema_versions[] = {\n" versions "\tNULL\n};"
}
