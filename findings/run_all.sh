#!/usr/bin/env bash
# Run every finding, outside CI (once a week, say), and report those whose library behaves differently now.
# Usage: findings/run_all.sh [WORD]  (only the findings whose name contains WORD)
# Exit status: 0 if all behave as described, 1 if any has changed, 2 if none has but some were not installed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
as_described=() changed=() not_installed=()
for script in *"${1:-}"*.sh; do
    [ "$script" = run_all.sh ] && continue
    echo "== $script"
    "./$script"
    case $? in
        0) as_described+=("$script") ;;
        2) not_installed+=("$script") ;;
        *) changed+=("$script") ;;
    esac
done
echo
echo "As described: ${#as_described[@]}"
echo "Changed: ${#changed[@]}"
for script in ${changed[@]+"${changed[@]}"}; do echo "  $script"; done
echo "Could not be installed: ${#not_installed[@]}"
for script in ${not_installed[@]+"${not_installed[@]}"}; do echo "  $script"; done
[ ${#changed[@]} -eq 0 ] || exit 1
[ ${#not_installed[@]} -eq 0 ] || exit 2
