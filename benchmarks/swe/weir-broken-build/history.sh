#!/bin/sh
# Makes the repository's history out of its files: what a clone would have brought along.
set -eu
export GIT_AUTHOR_NAME='Radka Novotna' GIT_AUTHOR_EMAIL=radka@weir.example
export GIT_COMMITTER_NAME='Radka Novotna' GIT_COMMITTER_EMAIL=radka@weir.example

commit() { # commit DATE MESSAGE
    git add -A
    GIT_AUTHOR_DATE=$1 GIT_COMMITTER_DATE=$1 git commit -q -m "$2"
}

chmod +x tests/run.sh tests/units.sh
final=$(mktemp -d)
trap 'rm -rf "$final"' EXIT
cp -R . "$final/"
rm -rf ./* .gitignore

git init -q -b main
cp -R "$final/tests" .
mkdir src data
cp "$final/data/units.txt" data/
cp "$final/.gitignore" .
printf '{ "%s", %s },\n' us 0.000001 ms 0.001 s 1 min 60 h 3600 d 86400 > src/units_table.h
sed -e 's,weir/units.h,units.h,' "$final/lib/units.c" > src/units.c
sed -e 's,weir/summary.h,summary.h,' "$final/lib/summary.c" > src/summary.c
sed -e '/^#endif/d' "$final/include/weir/units.h" > src/units.h
printf '/* The seconds of a word like 12ms, or -1 if it is none. */\ndouble measure_parse(const char *word);\n\n#endif\n' >> src/units.h
sed -e '/^#endif/d' -e 's,weir/limits.h,limits.h,' "$final/include/weir/summary.h" > src/summary.h
printf '/* The mean of all measurements, 0 if there are none. */\ndouble summary_mean(const struct summary *summary);\n\n#endif\n' >> src/summary.h
cp "$final/include/weir/limits.h" "$final/src/report.c" "$final/src/main.c" src/
sed -e 's,weir/,,' "$final/src/report.h" > src/report.h
cat > Makefile <<'TEXT'
CC ?= cc
CFLAGS ?= -O2 -g

build/weir: $(wildcard src/*.c src/*.h)
	mkdir -p build
	$(CC) -std=c11 -Wall -Wextra $(CFLAGS) $(LDFLAGS) -o $@ $(wildcard src/*.c)

check: build/weir
	sh tests/units.sh
	sh tests/run.sh

clean:
	rm -rf build

.PHONY: check clean
TEXT
commit '2024-03-04T20:11:00 +0000' 'Summarise measurements with units'

cp -R "$final/include" "$final/lib" "$final/src" .
rm src/units.c src/units.h src/units_table.h src/summary.c src/summary.h src/limits.h
printf '{ "%s", %s },\n' us 0.000001 ms 0.001 s 1 min 60 h 3600 d 86400 > lib/units_table.h
sed -e '/units_table\|mkunits/d' -e 's/^all: .*/all: directory $(BUILD)\/weir/' "$final/Makefile" > Makefile
commit '2024-03-18T21:34:00 +0000' 'Move the library to a directory of its own'

rm lib/units_table.h
cp -R "$final/tools" .
cp "$final/Makefile" .
commit '2024-03-19T22:02:00 +0000' 'Make the table of units from data/units.txt while building'

cp "$final/README.md" .
commit '2024-03-20T19:45:00 +0000' 'Describe the directories'
