package main

import (
	"sync"

	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/utils/oomparser"
	"k8s.io/klog/v2"
)

// kills counts out-of-memory kills by control group. The library's manager reports none (lib/manager: 0 always); the
// vendor's program reads the kernel's log beside it and puts its counts into the manager's answers, and so do we.
type kills struct {
	manager.Manager
	lock    sync.Mutex
	byGroup map[string]uint64
}

// watchKills reads the kernel's log from its oldest line on. Without the right to read it nothing is counted, which is said.
func watchKills(m manager.Manager) manager.Manager {
	counted := &kills{Manager: m, byGroup: map[string]uint64{}}
	log, err := oomparser.New()
	if err != nil {
		klog.Warningf("out-of-memory kills are not counted, the kernel's log cannot be read: %v", err)
		return counted
	}
	seen := make(chan *oomparser.OomInstance, 10)
	go log.StreamOoms(seen)
	go func() {
		for kill := range seen {
			counted.lock.Lock()
			counted.byGroup[kill.ContainerName]++
			counted.lock.Unlock()
		}
	}()
	return counted
}

// GetRequestedContainersInfo is where the metrics come from.
func (k *kills) GetRequestedContainersInfo(name string, options model.RequestOptions) (map[string]*model.ContainerInfo, error) {
	found, err := k.Manager.GetRequestedContainersInfo(name, options)
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, one := range found {
		for _, stats := range one.Stats {
			stats.OOMEvents = k.byGroup[one.Name]
		}
	}
	return found, err
}
