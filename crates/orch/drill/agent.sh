#!/bin/sh
# The agent of a drill: writes what its role has to, without any model. The developer begins when somebody puts a file
# called `go` into its tree; a child of its own lives as long as nobody ends it.
set -eu
first=$(head -n 1)
cat > /dev/null
role=${first#'# You are the '}
role=${role%% of *}
item=${first##* of }
folder=docs/work-items/$item
mkdir -p "$folder"
case $role in
analyst)
    echo 'BR-1: one line more.' > "$folder/01-brd.md"
    echo 'One line in lines.txt.' > "$folder/02-trz.md"
    echo 'AC-1: the line is there.' > "$folder/03-acceptance-criteria.md"
    printf '%s\n' '- id: TC-01' '  type: unit' '  description: a line' '  module: test.sh' '  expected: it is there' > "$folder/04-test-plan.yaml"
    ;;
architect)
    mkdir -p "$folder/06-adr"
    for name in 06-adr/ADR-001-line.md 07-infra-requirements.md 08-data-requirements.md 10-tech-risks.md; do
        echo 'One line more.' > "$folder/$name"
    done
    ;;
developer)
    sleep 3600 > /dev/null 2>&1 &
    child=$!
    while [ ! -e go ]; do sleep 0.05; done
    rm go
    kill "$child"
    echo "a line for $item" >> lines.txt
    ;;
reviewer)
    printf '%s\n' --- 'type: review' "work_item_id: $item" 'verdict: APPROVED' 'version: 1' --- '' '## Summary' '' 'Good.' > "$folder/12-review.md"
    ;;
tester)
    printf '%s\n' --- 'type: test-report' "work_item_id: $item" 'result: PASS' --- '' '## Conclusion' '' 'It holds.' > "$folder/13-test-report.md"
    ;;
*)
    echo "no such role: $first" >&2
    exit 1
    ;;
esac
