# files of completions/ to install or distribute
