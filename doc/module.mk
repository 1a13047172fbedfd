# files of doc/ to install or distribute
