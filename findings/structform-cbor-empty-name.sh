#!/usr/bin/env bash
# go-structform, which writes Filebeat's disk queue, cannot read its own CBOR if a field has an empty name.
#
# Package: github.com/elastic/go-structform v0.0.12 (Go module)
# Behavior: {"": 1} is valid JSON and valid CBOR, and the encoder writes it. The parser refuses an empty key. Filebeat (seen with version 7) encodes each
#   event of `queue.disk` so: one event that has an empty field name, such as a line {"":1} by decode_json_fields, ends the reading of its
#   segment file ("couldn't decode data frame: object keys must not be empty"), and the events behind it in that file are never sent.
# Output seen (2026-11-29): {"a":1}: read; {"":1}: object keys must not be empty
# Source: https://github.com/elastic/go-structform/blob/v0.0.12/cborl/parse.go (errEmptyKey), against RFC 8949, section 3.1; used by
#   https://github.com/elastic/beats/blob/v7.17.0/libbeat/publisher/queue/diskqueue/serialize.go
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"

	"github.com/elastic/go-structform/cborl"
	"github.com/elastic/go-structform/gotype"
)

func readAgain(value map[string]interface{}) string {
	var buffer bytes.Buffer
	if err := gotype.Fold(value, cborl.NewVisitor(&buffer)); err != nil {
		return "not written: " + err.Error()
	}
	var read map[string]interface{}
	unfolder, err := gotype.NewUnfolder(&read)
	if err == nil {
		err = cborl.Parse(buffer.Bytes(), unfolder)
	}
	if err != nil {
		return err.Error()
	}
	return "read"
}

func main() {
	fmt.Printf("{\"a\":1}: %s; {\"\":1}: %s\n",
		readAgain(map[string]interface{}{"a": 1}), readAgain(map[string]interface{}{"": 1}))
}
GO
go mod init finding > /dev/null 2>&1
go get github.com/elastic/go-structform@v0.0.12 > /dev/null 2>&1
go mod tidy > /dev/null 2>&1
output=$(go run .)
echo "$output"
[ "$output" = '{"a":1}: read; {"":1}: object keys must not be empty' ] || { echo "changed: an empty name is read, or not written"; exit 1; }
