# SPDX-License-Identifier: Apache-2.0
# awk -v header=html/pages.h -v prefix=page_ [-v frame=FILE] -f embed.awk FILE.html ... >C: each file as a text, prefix and its name; inside
# the frame, where that has a line CONTENT.
function line_put(line) {
	gsub(/^[ \t]+/, "", line)
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	print "\t\"" line "\\n\""
}

function frame_put(from, to, i) {
	for (i = from; i <= to; i++)
		line_put(lines[i])
}

function text_end() {
	if (texts) {
		frame_put(middle + 1, len)
		print "\t;"
	}
}

BEGIN {
	print "/* Made by html/embed.awk. */\n#include \"" header "\""
	while (frame != "" && (getline line <frame) > 0) {
		lines[++len] = line
		if (line == "CONTENT")
			middle = len
	}
}

FNR == 1 {
	text_end()
	texts++
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.html$/, "", name)
	print "\nconst char " prefix name "[] ="
	frame_put(1, middle - 1)
}

{ line_put($0) }

END { text_end() }
