# SPDX-License-Identifier: Apache-2.0
# awk -f embed.awk default/frame.html default/invite.html ... >letter_default.c: each letter inside the frame (see letter/default.h).
function line_put(line) {
	gsub(/^[ \t]+/, "", line)
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	print "\t\"" line "\\n\""
}

function frame_put(from, to, i) {
	for (i = from; i <= to; i++)
		line_put(frame[i])
}

function letter_end() {
	if (letters) {
		frame_put(middle + 1, lines)
		print "\t;"
	}
}

FNR == 1 && files++ == 0 {
	print "/* Made by letter/embed.awk. */\n#include \"letter/default.h\""
}

files == 1 {
	frame[++lines] = $0
	if ($0 ~ /LETTER/)
		middle = lines
	next
}

FNR == 1 {
	letter_end()
	letters++
	name = FILENAME
	sub(/^.*\//, "", name)
	sub(/\.html$/, "", name)
	print "\nconst char letter_default_" name "[] ="
	frame_put(1, middle - 1)
}

{ line_put($0) }

END { letter_end() }
