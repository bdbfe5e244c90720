package route

// OnDemandLen is how many models that nobody listed are kept.
func OnDemandLen(t *Table) int { return t.onDemand.len() }
