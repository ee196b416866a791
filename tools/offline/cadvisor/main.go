// cAdvisor, offline build: the vendor's libraries (the version that configs/images.yaml pins) under a small main.
// It has the vendor's flag names that fleetwatch uses; it knows Docker and containerd, and has neither the web page nor the REST API.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	_ "github.com/google/cadvisor/container/docker/install"
	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	_ "github.com/google/cadvisor/lib/container/containerd/install"
	_ "github.com/google/cadvisor/lib/fs/btrfs/install"
	_ "github.com/google/cadvisor/lib/fs/nfs/install"
	_ "github.com/google/cadvisor/lib/fs/overlay/install"
	_ "github.com/google/cadvisor/lib/fs/tmpfs/install"
	_ "github.com/google/cadvisor/lib/fs/vfs/install"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	"github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/google/cadvisor/lib/version"
)

var (
	listenIP    = flag.String("listen_ip", "", "Address to listen on; empty for all.")
	port        = flag.Int("port", 8080, "Port to listen on.")
	keep        = flag.Duration("storage_duration", 2*time.Minute, "How long to keep samples.")
	storeLabels = flag.Bool("store_container_labels", true, "Turn every container label into a metric label.")
	labelList   = flag.String("whitelisted_container_labels", "", "Container labels to keep, with -store_container_labels=false.")
	rawPrefixes = flag.String("raw_cgroup_prefix_whitelist", "", "cgroup prefixes to report even with -docker_only.")
	envList     = flag.String("env_metadata_whitelist", "", "Prefixes of environment variables to report.")
	endpoint    = flag.String("prometheus_endpoint", "/metrics", "Path of the metrics.")
	showVersion = flag.Bool("version", false, "Print the version and exit.")
	enabled     = container.MetricSet{}
	disabled    = offByDefault()
	_           = func() any {
		flag.Var(&enabled, "enable_metrics", "Kinds of metrics to report, and no others.")
		return nil
	}()
	_ = func() any { flag.Var(&disabled, "disable_metrics", "Kinds of metrics not to report."); return nil }()
)

// offByDefault is what the vendor's program leaves out unless asked.
func offByDefault() container.MetricSet {
	off := container.MetricSet{}
	for _, kind := range []container.MetricKind{
		container.MemoryNumaMetrics, container.NetworkTcpUsageMetrics, container.NetworkUdpUsageMetrics,
		container.NetworkAdvancedTcpUsageMetrics, container.ProcessSchedulerMetrics, container.ProcessMetrics,
		container.HugetlbUsageMetrics, container.ReferencedMemoryMetrics, container.CPUTopologyMetrics,
		container.ResctrlMetrics, container.CPUSetMetrics,
	} {
		off[kind] = struct{}{}
	}
	return off
}

// list splits as the vendor's program does: the libraries expect at least one element, be it empty.
func list(text string) []string { return strings.Split(text, ",") }

func labels() metrics.ContainerLabelsFunc {
	if *storeLabels {
		return metrics.DefaultContainerLabels
	}
	return metrics.BaseContainerLabels(list(*labelList))
}

func main() {
	klog.InitFlags(nil)
	flag.Parse()
	if *showVersion {
		fmt.Printf("cAdvisor version %s (fleetwatch offline build)\n", version.Version)
		return
	}
	included := enabled
	if len(included) == 0 {
		included = container.AllMetrics.Difference(disabled)
	}
	m, err := manager.New(memory.New(*keep, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, included,
		list(*rawPrefixes), list(*envList), "", 0)
	if err != nil {
		klog.Fatalf("cannot create the manager: %v", err)
	}
	if err := m.Start(); err != nil {
		klog.Fatalf("cannot start the manager: %v", err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		_ = m.Stop()
		os.Exit(0)
	}()

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(watchKills(m), labels(), included, clock.RealClock{}, model.RequestOptions{IdType: model.TypeName, Count: 1, Recursive: true}),
		metrics.NewPrometheusMachineCollector(m, included),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	http.Handle(*endpoint, promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	klog.Fatal(http.ListenAndServe(net.JoinHostPort(*listenIP, strconv.Itoa(*port)), nil))
}
