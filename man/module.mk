# files of man/ to install or distribute
