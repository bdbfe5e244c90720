module github.com/weir-gateway/weir

go 1.26.0
