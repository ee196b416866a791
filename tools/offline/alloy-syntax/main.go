// Reads Grafana Alloy's configuration language with Alloy's own parser and prints the file as Alloy formats it.
// Syntax only: it knows no component and no argument, so it is no stand-in for `alloy validate`.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/printer"
)

const version = "alloy-syntax 0.1.0"

func main() {
	if len(os.Args) != 2 || os.Args[1] == "--version" {
		fmt.Println(version, "(usage: alloy-syntax FILE)")
		return
	}
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		file, parseErr := parser.ParseFile(os.Args[1], text)
		if err = parseErr; err == nil {
			err = printer.Fprint(os.Stdout, file)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
