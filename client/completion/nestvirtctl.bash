# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion of nestvirtctl. It looks at sysfs alone: a Tab must not start the daemon.

# Names of the parameters of the modules that are there, those of kvm with and without its name.
_nestvirtctl_parameters() {
        local modules=${NESTVIRTCTL_MODULES:-/sys/module} file
        for file in "$modules"/kvm_{intel,amd}/parameters/* "$modules"/kvm/parameters/*; do
                [[ -e $file ]] || continue
                echo "${file##*/}"
                [[ $file == */kvm/parameters/* ]] && echo "kvm.${file##*/}"
        done
}

# What a parameter can be set to, where that is a switch.
_nestvirtctl_values() {
        local modules=${NESTVIRTCTL_MODULES:-/sys/module} name=${1#*.} file value
        name=${name//-/_}
        for file in "$modules"/kvm{,_intel,_amd}/parameters/{,enable_}"$name"; do
                [[ -r $file ]] && read -r value <"$file" && [[ $value == [YN01] ]] && echo "on off"
        done
}

# Names of the guests of the machine's own libvirt, as it keeps their definitions; only root can
# look there.
_nestvirtctl_guests() {
        local file
        for file in "${NESTVIRTCTL_GUESTS:-/etc/libvirt/qemu}"/*.xml; do
                [[ -e $file ]] && basename "$file" .xml
        done
}

# Of the names that come in those that begin with $1: quoted, so that they mean nothing to the
# shell, and with $2 behind. Only words that are written here are for compgen -W, which expands what
# it is given: whoever names a guest must not have a command run by a Tab.
_nestvirtctl_names() {
        local name
        while IFS= read -r name; do
                [[ $name == "$1"* ]] && printf '%q%s\n' "$name" "${2-}"
        done
}

# What an option about a guest can be.
_nestvirtctl_choices() {
        case $1 in
        --nested) echo "yes no" ;;
        --mode) echo "host-model host-passthrough maximum custom" ;;
        --recipe) echo "kvm proxmox hyperv esxi" ;;
        --release) echo "5.0 5.1 5.5 6.0 6.5 6.7 7.0 8.0 9.0" ;;
        --when) echo "idle now boot" ;;
        --only) echo "parameters guests" ;;
        --check) echo "effective" ;;
        --vendor) echo "intel amd hygon zhaoxin" ;;
        esac
}

_nestvirtctl() {
        local common="--json --json=short --json=pretty --json=off -j -q --quiet -H --host= --no-ask-password --no-pager
                -h --help --version"
        local setting="--dry-run --runtime --next-boot --when-idle --wait --verify"
        local patching="--dry-run --nested= --mode= --model= --recipe= --release= --vendor="
        local all="--all"
        local many="--all --except="
        local times="--times"
        local applying="--check --check=effective --when= --only= --dry-run"
        local root="--root="
        local repeating="--interval= --count="
        local verbs="status check show set reset apply reload cancel users guests guest set-cpu prepare probe
                fingerprint compare stat exits ensure-device metrics labels monitor patch-xml help"
        # The words as they were meant, without backslashes: readline's own are broken at = and :
        local line=${COMP_LINE:0:COMP_POINT} words cur prev='' verb='' i named=0
        # shellcheck disable=SC2162
        read -a words <<<"$line"
        [[ $line == *[[:space:]] && $line != *\\[[:space:]] ]] && words+=("")
        cur=${words[-1]}
        for ((i = 1; i < ${#words[@]} - 1; i++)); do
                case ${words[i]} in
                -H | --host) ((i++)) ;;
                -*) ;;
                *) verb=${verb:-${words[i]}} named=$((named + 1)) ;;
                esac
        done
        ((${#words[@]} > 2)) && prev=${words[-2]}

        local choices=''
        case $verb in
        show) common="$all $root $common" ;;
        '' | status | check | guests | guest) common="$root $common" ;;
        set | reset) common="$setting $common" ;;
        apply) common="$applying $root $common" ;;
        reload | ensure-device) common="--dry-run $common" ;;
        patch-xml) common="$patching $common" ;;
        set-cpu) common="--nested= --mode= --model= --dry-run $many $common" ;;
        prepare) common="--release= --dry-run $common" ;;
        probe) common="$times $common" ;;
        stat | exits) common="$repeating $common" ;;
        esac
        COMPREPLY=()
        if [[ $prev == -H || $prev == --host ]]; then
                mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
                return
        elif [[ $cur == --root=* ]]; then
                mapfile -t COMPREPLY < <(compgen -d -- "${cur#*=}")
                compopt -o filenames 2>/dev/null
                return
        elif [[ $cur == --json=* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "short pretty off" -- "${cur#*=}")
                return
        elif [[ $verb == set-cpu && $cur == --except=* ]]; then
                mapfile -t COMPREPLY < <(_nestvirtctl_guests | _nestvirtctl_names "${cur#*=}")
                return
        elif [[ $verb =~ ^(apply|patch-xml|set-cpu|prepare)$ && $cur == --*=* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_nestvirtctl_choices "${cur%%=*}")" -- "${cur#*=}")
                return
        elif [[ $cur == --host=* ]]; then
                mapfile -t COMPREPLY < <(compgen -A hostname -- "${cur#*=}")
                return
        elif [[ $cur == -* ]]; then
                choices=$common
        elif [[ -z $verb ]]; then
                choices=$verbs
        elif [[ $verb == set && $cur == *=* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_nestvirtctl_values "${cur%%=*}")" -- "${cur#*=}")
                return
        elif [[ $verb == set ]]; then
                mapfile -t COMPREPLY < <(_nestvirtctl_parameters | _nestvirtctl_names "$cur" =)
                [[ ${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace 2>/dev/null
                return
        elif [[ $verb =~ ^(apply|patch-xml|compare)$ ]]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                compopt -o filenames 2>/dev/null
                return
        elif [[ $verb == prepare && $named -eq 2 ]]; then
                choices=$(_nestvirtctl_choices --recipe)
        elif [[ $verb =~ ^(guest|set-cpu|prepare)$ ]]; then
                mapfile -t COMPREPLY < <(_nestvirtctl_guests | _nestvirtctl_names "$cur")
                return
        elif [[ $verb == show || $verb == reset ]]; then
                mapfile -t COMPREPLY < <(_nestvirtctl_parameters | _nestvirtctl_names "$cur")
                return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        return 0
}

complete -F _nestvirtctl nestvirtctl
