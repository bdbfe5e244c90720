package weirtest

import (
	"testing"

	"github.com/weir-gateway/weir/codec/all"
)

func TestEveryCodec(t *testing.T) {
	for _, c := range all.List() {
		t.Run(string(c.Protocol()), func(t *testing.T) { TestCodec(t, c) })
	}
}

func TestEveryPairOfCodecs(t *testing.T) {
	for _, from := range all.List() {
		for _, into := range all.List() {
			if from.Protocol() == into.Protocol() || recordedProtocols[from.Protocol()] == nil {
				continue
			}
			t.Run(string(from.Protocol())+" into "+string(into.Protocol()), func(t *testing.T) { TestCross(t, from, into) })
		}
	}
}
