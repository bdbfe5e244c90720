package weirtest

// converseRules are what Converse cannot say.
var converseRules = []answerRule{}
