# What is on the shelf. Uses the variable `shelf`, the directory with the generations.

# numbers_of NAME: prints the generation numbers of NAME, highest first
numbers_of() {
    ls $shelf | grep "^$1\.[1-9][0-9]*$" | sed 's/.*\.//' | grep -v '.....' | sort -rn
}

# names: prints every name that has a generation, once
names() {
    ls $shelf | grep '\.[1-9][0-9]*$' | sed 's/\.[0-9]*$//' | sort -u
}

# push_down KEEP NAME: moves the generations of NAME up by one; those that would be above KEEP are removed
push_down() {
    for n in $(numbers_of $2); do
        if [ $n -ge $1 ]; then
            rm -f $shelf/$2.$n
        else
            mv $shelf/$2.$n $shelf/$2.$((n + 1))
        fi
    done
}

# cut_off KEEP NAME: removes the generations of NAME above KEEP
cut_off() {
    for n in $(numbers_of $2); do
        if [ $n -gt $1 ]; then
            rm -f $shelf/$2.$n
        fi
    done
}
