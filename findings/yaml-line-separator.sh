#!/usr/bin/env bash
# Some strings that the npm package yaml writes are errors, or other strings, to YAML readers in Go: kubectl and most collectors.
#
# Packages: yaml 2.8.1 (npm), gopkg.in/yaml.v3 3.0.1 (Go module)
# Behavior: YAML 1.2 takes only CR and LF for ends of lines, and so the writer leaves U+0085, U+2028 and U+2029 in plain scalars. The reader follows
#   YAML 1.1, in which they end a line: U+2028 in a word is a syntax error, at its end it is lost, and U+0085 becomes a space.
# Output seen (2026-11-29): "a\u2028b" => error, "ab\u2028" => "ab", "a\u0085b" => "a b"; in quotation marks and by its code each stays
# Source: https://yaml.org/spec/1.2.2/#54-line-break-characters, https://yaml.org/spec/1.1/#b-line-separator
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact yaml@2.8.1
cat > write.mjs <<'JS'
import { Document, Scalar, stringify } from "yaml";
const text = JSON.parse(process.argv[2]);
const quoted = new Scalar(text);
quoted.type = Scalar.QUOTE_DOUBLE;
const byCode = (yaml) => yaml.replaceAll(/[\u0085\u2028]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
process.stdout.write(process.argv[3] === "by-code" ? byCode(new Document({ text: quoted }).toString()) : stringify({ text }));
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"os"

	"gopkg.in/yaml.v3"
)

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	var read struct{ Text string }
	if err := yaml.Unmarshal(data, &read); err != nil {
		fmt.Println("error")
		return
	}
	fmt.Printf("%+q\n", read.Text)
}
GO
go mod init finding >/dev/null 2>&1
go get gopkg.in/yaml.v3@v3.0.1 >/dev/null 2>&1
go build -o read .

# Fails unless a string, written as it comes or by codes, is read as that one.
expect() {
  found=$(node write.mjs "$1" "${3-}" | ./read)
  echo "$1 ${3-} => $found"
  [ "$found" = "$2" ]
}
expect '"a\u2028b"' error
expect '"ab\u2028"' '"ab"'
expect '"a\u0085b"' '"a b"'
expect '"a\u2028b"' '"a\u2028b"' by-code
expect '"a\u0085b"' '"a\u0085b"' by-code
