// Package deptest holds the module to its house rules: which package may import
// which, that each package has a package comment, and how long a file may grow.
//
// There is no code here but the tests. The order of the packages is the table
// rules in rules_test.go; read that first. A room that needs a door which the
// table does not have is a design decision: make it in the table, with its
// reason, and in ARCHITECTURE.md.
package deptest
