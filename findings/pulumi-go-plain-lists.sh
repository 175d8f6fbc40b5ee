#!/usr/bin/env bash
# Whether the Go package that Pulumi generates compiles depends on the names of a component's other arguments.
#
# Package: github.com/pulumi/pulumi/pkg/v3 v3.276.0 (Go module)
# Behavior: an argument that is a plain list of objects, of which one field may be an output, is generated as []EntryArgs, but EntryArgs itself only
#   where an argument that is a plain object comes before it in the alphabet. With entries alone, or with entries and vpc, the package does not
#   compile ("undefined: EntryArgs"); with addons and entries it does. TypeScript and Python have no such difference.
#   language.go.generateExtraInputTypes in the schema declares the type in each case.
# Output seen (2026-11-30): entries: undefined, entries vpc: undefined, addons entries: declared, entries with extra types: declared
# Source: https://github.com/pulumi/pulumi/blob/v3.276.0/pkg/codegen/go/gen.go (populateDetailsForPropertyTypes sets `input` for an object and
#   keeps it for the properties after it)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > go.mod <<'GO'
module lists

go 1.25
GO
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	gen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// The package refers to no other.
type none struct{ schema.Loader }

func argument(name string) schema.PropertySpec {
	if name == "entries" {
		item := schema.TypeSpec{Ref: "#/types/lists:index:Entry", Plain: true}
		return schema.PropertySpec{TypeSpec: schema.TypeSpec{Type: "array", Items: &item, Plain: true}}
	}
	return schema.PropertySpec{TypeSpec: schema.TypeSpec{Ref: "#/types/lists:index:Plain", Plain: true}}
}

func declares(extra bool, names ...string) string {
	object := func(field schema.TypeSpec) schema.ComplexTypeSpec {
		return schema.ComplexTypeSpec{ObjectTypeSpec: schema.ObjectTypeSpec{
			Type: "object", Properties: map[string]schema.PropertySpec{"name": {TypeSpec: field}},
		}}
	}
	inputs := map[string]schema.PropertySpec{}
	for _, name := range names {
		inputs[name] = argument(name)
	}
	spec := schema.PackageSpec{
		Name: "lists", Version: "1.0.0",
		Types: map[string]schema.ComplexTypeSpec{
			"lists:index:Entry": object(schema.TypeSpec{Type: "string"}),
			"lists:index:Plain": object(schema.TypeSpec{Type: "string", Plain: true}),
		},
		Resources: map[string]schema.ResourceSpec{"lists:index:Thing": {IsComponent: true, InputProperties: inputs}},
		Language: map[string]schema.RawMessage{
			"go": schema.RawMessage(fmt.Sprintf(`{"respectSchemaVersion":true,"generateExtraInputTypes":%t}`, extra)),
		},
	}
	bound, err := schema.ImportSpec(spec, map[string]schema.Language{"go": gen.Importer}, none{}, schema.ValidationOptions{})
	if err != nil {
		panic(err)
	}
	files, err := gen.GeneratePackage("finding", bound, nil)
	if err != nil {
		panic(err)
	}
	text := ""
	for _, file := range files {
		text += string(file)
	}
	if !strings.Contains(text, "[]EntryArgs\n") {
		return "not used"
	}
	if strings.Contains(text, "type EntryArgs struct") {
		return "declared"
	}
	return "undefined"
}

func main() {
	fmt.Printf("entries: %s, entries vpc: %s, addons entries: %s, entries with extra types: %s\n",
		declares(false, "entries"), declares(false, "entries", "vpc"), declares(false, "addons", "entries"), declares(true, "entries"))
}
GO
go get github.com/pulumi/pulumi/pkg/v3@v3.276.0 2>/dev/null
go mod tidy 2>/dev/null
seen=$(go run .)
echo "$seen"
[ "$seen" = "entries: undefined, entries vpc: undefined, addons entries: declared, entries with extra types: declared" ] ||
  { echo "changed"; exit 1; }
