#!/usr/bin/env bash
# A color code in a message ends what logfmt readers find in a line of Go's slog: Promtail and Grafana Alloy lose all fields after it.
#
# Packages: golang.org/x/exp v0.0.0-20251125195548-87e1e737ad39, whose package slog is that of Go's library; github.com/go-logfmt/logfmt v0.6.1, by which
#   the stage logfmt of Promtail and Alloy reads (Go modules)
# Behavior: slog's text lines are key=value pairs that look like logfmt, but it quotes by Go's rules: an escape character is \x1b, a bell \a, and a byte
#   that is no UTF-8 \xff. logfmt knows JSON's escapes alone, so the reader stops there with "invalid quoted value". A message with the output of another
#   program, which is often colored, is enough: its own value and each field after it are missing, and so are the labels made of them. The
#   line of go-logfmt's own encoder has \u001b and is read whole, and JSON lines have it too.
# Output seen (2026-11-30): slog writes level=ERROR msg="\x1b[31mdenied\x1b[0m" user=me status=403; read: level, then invalid quoted value
#   go-logfmt writes level=ERROR msg="\u001b[31mdenied\u001b[0m" user=me status=403; read: level msg user status
# Source: https://pkg.go.dev/log/slog#TextHandler (strconv.Quote), against
#   https://github.com/go-logfmt/logfmt/blob/v0.6.1/jsonstring.go (unquoteBytes) and
#   https://grafana.com/docs/loki/latest/send-data/promtail/stages/logfmt/
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-logfmt/logfmt"
	"golang.org/x/exp/slog"
)

// What another program printed in red.
const denied = "\x1b[31mdenied\x1b[0m"

func bySlog() string {
	var line bytes.Buffer
	withoutTime := func(_ []string, attribute slog.Attr) slog.Attr {
		if attribute.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return attribute
	}
	slog.New(slog.NewTextHandler(&line, &slog.HandlerOptions{ReplaceAttr: withoutTime})).Error(denied, "user", "me", "status", 403)
	return strings.TrimSuffix(line.String(), "\n")
}

func byLogfmt() string {
	line, err := logfmt.MarshalKeyvals("level", "ERROR", "msg", denied, "user", "me", "status", 403)
	if err != nil {
		panic(err)
	}
	return string(line)
}

// The fields of a line, up to the first that cannot be read.
func read(line string) string {
	decoder := logfmt.NewDecoder(strings.NewReader(line))
	var fields []string
	for decoder.ScanRecord() {
		for decoder.ScanKeyval() {
			fields = append(fields, string(decoder.Key()))
		}
	}
	found := strings.Join(fields, " ")
	if err := decoder.Err(); err != nil {
		return found + ", then " + err.Error()[strings.LastIndex(err.Error(), ": ")+2:]
	}
	return found
}

func main() {
	fmt.Printf("slog writes %s; read: %s\n", bySlog(), read(bySlog()))
	fmt.Printf("go-logfmt writes %s; read: %s\n", byLogfmt(), read(byLogfmt()))
}
GO
go mod init finding >/dev/null 2>&1
go get golang.org/x/exp@v0.0.0-20251125195548-87e1e737ad39 github.com/go-logfmt/logfmt@v0.6.1 >/dev/null 2>&1
go build -o run .

./run | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
slog writes level=ERROR msg="\x1b[31mdenied\x1b[0m" user=me status=403; read: level, then invalid quoted value
go-logfmt writes level=ERROR msg="\u001b[31mdenied\u001b[0m" user=me status=403; read: level msg user status
SEEN
