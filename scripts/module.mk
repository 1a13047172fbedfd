# files of scripts/ to install or distribute
