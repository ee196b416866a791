//go:build tools

// Package tools pins what the offline build of this part compiles.
package tools

import (
	_ "github.com/prometheus/memcached_exporter/cmd/memcached_exporter"
)
