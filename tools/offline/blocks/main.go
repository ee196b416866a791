// Command blocks writes TSDB blocks of two hours with random values, for the drill of a large restore.
// Usage: blocks FOLDER MEGABYTES NEWEST (seconds since 1970, the end of the newest block)
package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	series = 10000
	step   = 15000
	block  = 2 * 3600 * 1000
)

func size(folder string) (bytes int64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}

func write(folder string, begin int64) (int, error) {
	writer, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), folder, block)
	if err != nil {
		return 0, err
	}
	defer writer.Close()
	refs := make([]storage.SeriesRef, series)
	count := 0
	for at := begin; at < begin+block; at += step {
		appender := writer.Appender(context.Background())
		for i := range refs {
			name := labels.EmptyLabels()
			if refs[i] == 0 {
				name = labels.FromStrings("__name__", "large", "host", "hub", "n", strconv.Itoa(i))
			}
			if refs[i], err = appender.Append(refs[i], name, at, rand.Float64()); err != nil {
				return 0, err
			}
			count++
		}
		if err = appender.Commit(); err != nil {
			return 0, err
		}
	}
	_, err = writer.Flush(context.Background())
	return count, err
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("blocks 1")
		return
	}
	folder := os.Args[1]
	megabytes, _ := strconv.ParseInt(os.Args[2], 10, 64)
	end, _ := strconv.ParseInt(os.Args[3], 10, 64)
	total := 0
	for begin := end*1000/block*block - block; size(folder) < megabytes<<20; begin -= block {
		count, err := write(folder, begin)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		total += count
	}
	fmt.Println(total)
}
