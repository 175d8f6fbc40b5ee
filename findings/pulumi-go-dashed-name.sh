#!/usr/bin/env bash
# The Go package that Pulumi generates of a package with a dash in its name imports a folder that it does not write.
#
# Package: github.com/pulumi/pulumi/pkg/v3 v3.276.0 (Go module)
# Behavior: the files of my-lists are written to mylists/, since Go allows no dash in a package's name, but import …/sdk/go/my-lists/internal. So
#   the code does not compile. With meta.supportPack in the schema both are mylists, and a go.mod is written; `pulumi package add` sets that by
#   itself, `pulumi package gen-sdk` of a schema file does not.
# Output seen (2026-11-30): lists: writes lists, imports lists; my-lists: writes mylists, imports my-lists; with supportPack: writes mylists, imports mylists
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/pkg/codegen/go/gen.go (ExtractImportBasePath calls goPackage only with SupportPack)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'GO'
module dash

go 1.25
GO
cat > main.go <<'GO'
package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	gen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// The package refers to no other.
type none struct{ schema.Loader }

var ownInternal = regexp.MustCompile(`/sdk/go/([^"/]+)/internal"`)

func places(name string, pack bool) string {
	bound, err := schema.ImportSpec(schema.PackageSpec{
		Name: name, Version: "1.0.0",
		Meta:      &schema.MetadataSpec{ModuleFormat: "(.*)", SupportPack: pack},
		Resources: map[string]schema.ResourceSpec{name + ":part:Thing": {IsComponent: true}},
		Language:  map[string]schema.RawMessage{"go": schema.RawMessage(`{"respectSchemaVersion":true}`)},
	}, map[string]schema.Language{"go": gen.Importer}, none{}, schema.ValidationOptions{})
	if err != nil {
		panic(err)
	}
	files, err := gen.GeneratePackage("finding", bound, nil)
	if err != nil {
		panic(err)
	}
	var written, imported string
	for file, text := range files {
		if strings.HasSuffix(path.Dir(file), "/internal") {
			written = path.Dir(path.Dir(file))
		}
		if match := ownInternal.FindSubmatch(text); match != nil {
			imported = string(match[1])
		}
	}
	return fmt.Sprintf("writes %s, imports %s", written, imported)
}

func main() {
	fmt.Printf("lists: %s; my-lists: %s; with supportPack: %s\n",
		places("lists", false), places("my-lists", false), places("my-lists", true))
}
GO
go get github.com/pulumi/pulumi/pkg/v3@v3.276.0 2>/dev/null
go mod tidy 2>/dev/null
seen=$(go run .)
echo "$seen"
[ "$seen" = "lists: writes lists, imports lists; my-lists: writes mylists, imports my-lists; with supportPack: writes mylists, imports mylists" ] ||
  { echo "changed"; exit 1; }
