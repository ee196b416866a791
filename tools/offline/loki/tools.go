//go:build tools

// Package tools pins what the offline build of this part compiles.
package tools

import (
	_ "github.com/grafana/loki/v3/cmd/loki"
	_ "github.com/grafana/loki/v3/cmd/logcli"
	_ "github.com/grafana/loki/v3/clients/pkg/promtail"
)
