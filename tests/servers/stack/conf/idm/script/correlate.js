({ _queryFilter: 'userName eq "' + source.uid + '"' });
