#!/usr/bin/env bash
# The OpenTelemetry Collector corrupts a character that the container runtime split, though it joins the parts of the line.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver v0.156.0 (Go module)
# Behavior: a runtime splits long lines every 16 KiB, even within a character. The receiver decodes each part as UTF-8 before the operator
#   `container` joins them, so each byte of the character becomes U+FFFD. With `encoding: utf-8-raw` the character stays.
# Output seen (2026-11-29): utf-8: "one ��� two", utf-8-raw: "one 方 two"
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/fileconsumer/internal/reader/reader.go
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
# The three bytes of a character, the first at the end of a part.
printf '2026-11-29T10:00:00.1Z stdout P one \xe6\n2026-11-29T10:00:00.1Z stdout F \x96\xb9 two\n' > 0.log
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func main() {
	for _, encoding := range []string{"utf-8", "utf-8-raw"} {
		factory := filelogreceiver.NewFactory()
		config := factory.CreateDefaultConfig()
		must(confmap.NewFromStringMap(map[string]any{
			"include":   []any{"0.log"},
			"start_at":  "beginning",
			"encoding":  encoding,
			"operators": []any{map[string]any{"type": "container", "add_metadata_from_filepath": false}},
		}).Unmarshal(config))
		sink := new(consumertest.LogsSink)
		receiver, err := factory.CreateLogs(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
		must(err)
		must(receiver.Start(context.Background(), componenttest.NewNopHost()))
		for tries := 0; sink.LogRecordCount() == 0 && tries < 100; tries++ {
			time.Sleep(100 * time.Millisecond)
		}
		must(receiver.Shutdown(context.Background()))
		for _, logs := range sink.AllLogs() {
			body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
			fmt.Printf("%s: %q\n", encoding, body)
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver@v0.156.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o read .

./read | tee output.txt
grep -qF 'utf-8: "one ��� two"' output.txt || { echo "the character is not spoilt"; exit 1; }
grep -qF 'utf-8-raw: "one 方 two"' output.txt || { echo "the character does not stay"; exit 1; }
