// Reads Grafana Alloy's configuration language with Alloy's own parser and prints the file as Alloy formats it.
// It knows no component; of the arguments, it evaluates those that are durations. It is no stand-in for `alloy validate`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/grafana/alloy/syntax/ast"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/printer"
	"github.com/grafana/alloy/syntax/vm"
)

const version = "alloy-syntax 0.1.0"

// durations are the arguments that Alloy decodes to a time.Duration.
var durations = map[string]bool{
	"batch_wait": true, "max_age": true, "max_backoff_period": true, "min_backoff_period": true,
	"refresh_interval": true, "remote_timeout": true, "sync_period": true,
}

// checker is an ast.Visitor that keeps the first error of a duration.
type checker struct{ err error }

func (c *checker) Visit(node ast.Node) ast.Visitor {
	attribute, ok := node.(*ast.AttributeStmt)
	if ok && durations[attribute.Name.Name] && c.err == nil {
		var value time.Duration
		if err := vm.New(attribute.Value).Evaluate(nil, &value); err != nil {
			c.err = fmt.Errorf("%s: %w", attribute.Name.Name, err)
		}
	}
	return c
}

func check(file *ast.File) error {
	var durations checker
	ast.Walk(&durations, file)
	return durations.err
}

func main() {
	if len(os.Args) != 2 || os.Args[1] == "--version" {
		fmt.Println(version, "(usage: alloy-syntax FILE)")
		return
	}
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		file, parseErr := parser.ParseFile(os.Args[1], text)
		if err = parseErr; err == nil {
			err = check(file)
		}
		if err == nil {
			err = printer.Fprint(os.Stdout, file)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
