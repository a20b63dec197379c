# Scores one half for the file, and one half for what it says.
score=0
if [ -f greeting.txt ]; then
    score=0.5
    if [ "$(cat greeting.txt)" = 'Hello, World!' ]; then
        score=1
    fi
fi
echo "score=$score"
