package replay

// Note is a note: what the stage did to a request, or that its Store failed.
// There is none when there was nothing to do.
type Note struct {
	// Injected is how many turns got back what was kept of them.
	Injected int
	// Missing is how many turns lack what the deployment demands and had nothing
	// kept: it has expired, was made elsewhere, or never was. They go on as they
	// came, for the codec's placeholder.
	Missing int
	// Stripped is how many pieces of state another provider had made, and were
	// taken out.
	Stripped int
	// StoreFailed tells that the Store could not be asked or written to.
	StoreFailed bool
}

// NoteKind implements weir.Note.
func (*Note) NoteKind() string { return "replay" }

// Emulated implements weir.Emulated.
func (n *Note) Emulated() string {
	switch {
	case n.Injected > 0:
		return "reasoning;replayed"
	case n.Stripped > 0:
		return "reasoning;stripped"
	}
	return ""
}
