"""A page with a quiz of every kind, for the site that the tests build."""

HOSTILE = '<img src=x onerror="window.intruded = 1">&amp; </script>'
PAGE = f"""---
description: Une page qui n'est là que pour les tests.
---

# Essai

```{{quiz}} tous-les-genres
Pour se situer, quel repère prendre : la moyenne ou la médiane ?

( ) La moyenne
    Quelques grandes communes la tirent vers le haut :
    la plupart sont au-dessous.
(x) La médiane
    Elle est au milieu de la file.
( ) Le total
    Il ne dit rien d'une seule commune.
---
Quelles phrases sont vraies ?
[x] La médiane est au milieu.
    Autant de communes au-dessous qu'au-dessus.
[ ] La moyenne est au milieu.
    Elle partage le total, pas la file.
[x] La moyenne suit les plus grandes.
    Elle compte chaque habitant.
[ ] Les deux sont toujours égales.
    Elles le sont rarement.
---
Dans quel ordre vérifier un chiffre ?
1. Lire sa fiche
   Sans elle, on ne sait pas ce que l'on compte.
2. Regarder sa date
   Un chiffre périmé ne se discute plus.
3. Le recalculer
   On recalcule ce qui vaut la peine.
4. Le citer
   On cite en dernier.
---
Quelle part des communes est sous la moyenne ?
= 83,9 %, à 0,5 près
    Être sous la moyenne est la règle.
! 50
    C'est la part sous la médiane.
! 16,1 %
    C'est la part au-dessus.
! autre
    Comptez les communes au-dessous, puis divisez par leur nombre.
```

Puis un autre quiz, dont le contenu est hostile.

```{{quiz}} hostile
{HOSTILE} ?
( ) {HOSTILE}
    Faux {HOSTILE}
(x) Juste {HOSTILE}
    Bien {HOSTILE}
```
"""
