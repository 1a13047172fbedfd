# Prints what zsh offers for the line $1: a second zsh on a pseudo-terminal completes it, with
# compadd replaced by one that also writes the matches into a file.
zmodload zsh/zpty || exit 1
dir=$(mktemp -d)
cp $TOP/completions/pystoker.zsh $dir/_pystoker
: > $dir/found
cat > $dir/setup <<'SETUP'
setopt extended_glob
unsetopt auto_list auto_menu
fpath=($dir $fpath)
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
compadd() {
	local -a found
	local word
	# With -O, -A or -D the caller only asks which words would match.
	for word; do
		[[ $word == (-|--) ]] && break
		[[ $word == -[a-zA-Z12]#[OAD] ]] && { builtin compadd "$@"; return }
	done
	builtin compadd -O found "$@"
	(( $#found )) && print -r -l -- ${found%=} >> $dir/found
	builtin compadd "$@"
}
# The editor itself says when it reads keys, and when it has come to the end of ours.
zle-line-init() { print REA''DY }
zle -N zle-line-init
say-done() { print DO''NE }
zle -N say-done
bindkey '^X' say-done
SETUP

zpty inner zsh -f -i
zpty -w inner "dir=$dir; source $dir/setup"
while zpty -r inner text; do [[ $text == *READY* ]] && break; done
zpty -n -w inner "$1"$'\t\C-x'
while zpty -r inner text; do [[ $text == *DONE* ]] && break; done
zpty -d inner
cat $dir/found
rm -rf $dir
