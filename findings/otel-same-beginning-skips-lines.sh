#!/usr/bin/env bash
# The OpenTelemetry Collector does not read files, or the first lines of them, that begin with the same 1000 bytes as another.
#
# Package: github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver v0.156.0 (Go module)
# Behavior: its page says that it knows files by inode and content, but it does by their first 1000 bytes alone (`fingerprint_size`). Of two files that
#   begin with the same banner, license or header of columns, one is never read. A new file after a rotation, which begins as the old one did,
#   is read from where the old one ended: that much of it is lost. Nothing is logged. A container runtime writes a time before each line, but an
#   application that writes its own files may begin each of them alike. A fingerprint_size that is longer than the beginning reads all.
# Output seen (2026-11-30): two files: one 1; with 4kb: one 1, two 1, two 2, the files in either order
#   rotated: old 1, old 2, new 3; with 4kb: old 1, old 2, new 1, new 2, new 3
# Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/fileconsumer/internal/fingerprint/fingerprint.go,
#   https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/pkg/stanza/fileconsumer/design.md (Fingerprints), against
#   https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.156.0/receiver/filelogreceiver/README.md ("identity (inode) and content")
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// 1000 bytes, as an application writes them at its start.
var banner = strings.Repeat("#######\n", 125)

// The lines after the banner that are read of a folder's files: those at the start, and those that `then` leaves.
func read(size string, files map[string]string, then func(folder string)) string {
	folder, err := os.MkdirTemp(".", "logs")
	must(err)
	for name, text := range files {
		must(os.WriteFile(filepath.Join(folder, name), []byte(banner+text), 0o600))
	}
	factory := filelogreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"include": []any{folder + "/*"}, "start_at": "beginning", "fingerprint_size": size,
	}).Unmarshal(config))
	sink := new(consumertest.LogsSink)
	receiver, err := factory.CreateLogs(context.Background(), receivertest.NewNopSettings(factory.Type()), config, sink)
	must(err)
	must(receiver.Start(context.Background(), componenttest.NewNopHost()))
	time.Sleep(2 * time.Second)
	then(folder)
	time.Sleep(2 * time.Second)
	must(receiver.Shutdown(context.Background()))
	var seen []string
	for _, logs := range sink.AllLogs() {
		lines := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := range lines.Len() {
			if line := lines.At(i).Body().Str(); !strings.HasPrefix(line, "#") {
				seen = append(seen, line)
			}
		}
	}
	return strings.Join(seen, ", ")
}

func main() {
	two := map[string]string{"a.log": "one 1\n", "b.log": "two 1\ntwo 2\n"}
	old := map[string]string{"a.log": "old 1\nold 2\n"}
	rotate := func(folder string) {
		name := filepath.Join(folder, "a.log")
		must(os.Rename(name, name+".1"))
		must(os.WriteFile(name, []byte(banner+"new 1\nnew 2\nnew 3\n"), 0o600))
	}
	nothing := func(string) {}
	fmt.Printf("two files: %s; with 4kb: %s\n", read("1000", two, nothing), read("4kb", two, nothing))
	fmt.Printf("rotated: %s; with 4kb: %s\n", read("1000", old, rotate), read("4kb", old, rotate))
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
# Which of the two files is read, and in which order, is left open.
grep -Eq '^two files: (one 1|two 1, two 2); with 4kb: .*, .*, [^,]*$' output.txt || { echo "changed: both files are read, or neither"; exit 1; }
grep -q '^rotated: old 1, old 2, new 3; with 4kb: old 1, old 2, new 1, new 2, new 3$' output.txt || { echo "changed: the new file is read"; exit 1; }
