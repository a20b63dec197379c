test "$(cat src/a.py)" = "x = 2" # {{ no template }}
