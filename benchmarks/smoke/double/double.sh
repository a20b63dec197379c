#!/bin/sh
# Prints twice the number that it is given.
echo $(($1 + 2))
