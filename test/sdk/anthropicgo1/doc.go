// Package anthropicgo1 runs the official Anthropic client for Go in its major
// version 1, unchanged, through Weir to a simulated upstream of either
// protocol. Its tests are made from those of anthropicgo by copy-v1.sh.
package anthropicgo1
