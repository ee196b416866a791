// Promtail, offline build: the vendor's library (the same module as Loki) under a small main.
// It has the vendor's flags that fleetwatch uses and no systemd journal (that needs cgo and libsystemd).
package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/grafana/dskit/flagext"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/grafana/loki/v3/clients/pkg/promtail"
	"github.com/grafana/loki/v3/clients/pkg/promtail/client"
	"github.com/grafana/loki/v3/clients/pkg/promtail/config"
	"github.com/grafana/loki/v3/pkg/util/build"
	"github.com/grafana/loki/v3/pkg/util/cfg"
	util_log "github.com/grafana/loki/v3/pkg/util/log"
)

type settings struct {
	config.Config `yaml:",inline"`
	version       bool
	syntaxOnly    bool
	file          string
	expandEnv     bool
}

func (s *settings) RegisterFlags(f *flag.FlagSet) {
	f.BoolVar(&s.version, "version", false, "Print the version and exit.")
	f.BoolVar(&s.syntaxOnly, "check-syntax", false, "Check the configuration file and exit.")
	f.StringVar(&s.file, "config.file", "", "Configuration file.")
	f.BoolVar(&s.expandEnv, "config.expand-env", false, "Expand ${VAR} in the configuration file.")
	s.Config.RegisterFlags(f)
}

// Clone lets the loader look for -config.file without changing the settings.
func (s *settings) Clone() flagext.Registerer {
	return func(c settings) *settings { return &c }(*s)
}

func load() (*settings, error) {
	var s settings
	err := cfg.DefaultUnmarshal(&s, os.Args[1:], flag.NewFlagSet(os.Args[0], flag.ExitOnError))
	if err == nil && reflect.DeepEqual(s.ClientConfig, client.Config{}) && len(s.ClientConfigs) == 0 {
		err = fmt.Errorf("at least one client config must be provided")
	}
	if err == nil {
		err = s.Validate()
	}
	if err == nil {
		err = checkJournals(&s)
	}
	return &s, err
}

// checkJournals refuses what the vendor's journal target refuses when it starts (targets/journal/journaltarget.go).
func checkJournals(s *settings) error {
	for _, job := range s.ScrapeConfig {
		if job.JournalConfig == nil || job.JournalConfig.MaxAge == "" {
			continue
		}
		if _, err := time.ParseDuration(job.JournalConfig.MaxAge); err != nil {
			return fmt.Errorf("job %s, journal.max_age: parsing journal reader 'max_age' config value: %w", job.JobName, err)
		}
	}
	return nil
}

func main() {
	if len(os.Args) == 2 && (os.Args[1] == "-version" || os.Args[1] == "--version") {
		info, _ := debug.ReadBuildInfo()
		fmt.Printf("promtail, version %s (fleetwatch offline build, %s)\n", build.Version, info.GoVersion)
		return
	}
	s, err := load()
	if err != nil {
		fmt.Fprintf(os.Stderr, "Unable to parse config: %v\n", err)
		os.Exit(1)
	}
	if s.syntaxOnly {
		if s.file == "" {
			fmt.Fprintln(os.Stderr, "Invalid config file: -check-syntax needs -config.file")
			os.Exit(1)
		}
		fmt.Println("Valid config file! No syntax issues found")
		return
	}
	run(s)
}

func run(s *settings) {
	util_log.InitLogger(&s.ServerConfig.Config, prometheus.DefaultRegisterer, false)
	prometheus.MustRegister(version.NewCollector("promtail"))
	again := func() (*config.Config, error) { // a reload reads the file anew
		fresh, err := load()
		if err != nil {
			return nil, err
		}
		return &fresh.Config, nil
	}
	p, err := promtail.New(s.Config, again, client.NewMetrics(prometheus.DefaultRegisterer), false)
	if err == nil {
		defer p.Shutdown()
		err = p.Run()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "promtail: %v\n", err)
		os.Exit(1)
	}
}
