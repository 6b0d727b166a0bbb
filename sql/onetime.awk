# SPDX-License-Identifier: Apache-2.0
#
# Makes fragments of the rows KIND(ID, column, sent_at, address) of src/onetime.def:
#
#	awk -v into=fragment -f sql/onetime.awk src/onetime.def

BEGIN { FS = "[(), \t]+" }

/^KIND\(/ {
	column[++kinds] = $3
	if (!($4 in of)) {
		sent[++times] = $4
		of[$4] = ""
	}
	of[$4] = of[$4] (of[$4] == "" ? "" : ", ") "'" $3 "'"
	if ($5 != "email")
		elsewhere = elsewhere " when '" $3 "' then &1." $5
}

END {
	for (i = 1; i <= kinds; i++) {
		found = found " when '" column[i] "' then &1." column[i]
		changed = changed comma(i) column[i] " = case &2 when '" column[i] "' then &3 else &1." column[i] " end"
		none = none comma(i) column[i] " = ''"
	}
	for (i = 1; i <= times; i++) {
		at = at " when &2 in (" of[sent[i]] ") then &1." sent[i]
		at_changed = at_changed comma(i) sent[i] " = case when &2 in (" of[sent[i]] ") then &3 else &1." sent[i] " end"
		never = never comma(i) sent[i] " = null"
	}
	save("token_column", "case &2" found " end")
	save("token_changed", changed)
	save("no_tokens", none)
	save("sent_at", "case" at " end")
	save("sent_changed", at_changed)
	save("never_sent", never)
	save("sent_to", "case &2" elsewhere " else &1.email end")
}

function comma(i) {
	return (i > 1 ? ", " : "")
}

function save(name, text) {
	print text > (into "/" name ".sql")
	close(into "/" name ".sql")
}
